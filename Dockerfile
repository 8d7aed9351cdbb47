# GANscope for a class, behind a reverse proxy: see docs/serving.md.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 GANSCOPE_RUNS_DIR=/data/runs \
    GANSCOPE_SWEEPS_DIR=/data/sweeps GANSCOPE_CACHE=/data/cache
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt "streamlit[auth]"
COPY app.py ./
COPY .streamlit/config.toml .streamlit/
COPY static static
COPY gan_core gan_core
COPY pages pages
# plotly.js beside our script, while the folder may be written; then nobody but root can.
RUN python -c "from pages.ui.server import browser_code; browser_code.plotly_version()" \
    && useradd --create-home --uid 10001 ganscope && mkdir -p /data && chown ganscope /data
USER ganscope
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["python", "-m", "streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.port=8501"]
