"""Damaged Parquet files: pyarrow itself ends the process that opens some of them, which no one can catch."""

import base64
import io
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from gan_core.data import parquet_trial
from gan_core.data.own_files import own_data
from gan_core.foundations.hyperparameters import ConfigError
from tests.conftest import ROOT

# Two columns of 17 numbers, and one wrong byte in what the file says of them (pyarrow 26 ends the process there).
FATAL = base64.b85decode(
    b"P(e~L6#x~S0u`14EEOUZ02Kxm1{@d&00000001yR7zh9W000000Du+%C<p)m00000FhCdx000000001h5fK0Y04TLD{UDAN0stfe"
    b"0ssI2A^`yKKL9`g2oMw)93UbjCMYT_E<gYP00000FhCCgAPdL`G6PvaK9Cv60`h^(Ko*d1B^hW9VD1206#x~G0u`14EEOUZ02Kxm"
    b"1{@d&00000001sP7zh9W000000Du+(C<p)m00000E<hLv000000001h5fK0Y04TLD{UC@H0su4u1ONa41O5^L0PsHmKmZ636c`*J"
    b"A|xg#Dl9+%0000004_id03Zv<2QmX$Kt7Ne$O7_#%s`fvyr5x#jRPD36$BYPH2@d}b7N>_ZDADz02K-;0vG{!02K-"
    b")0vG{#02U${92qPo02~zx86^e)85jY06$}<47M=qZm;xpUJQxT70000005Cup2mk;800000fEEBK2mk;80000mKo|%B00000004j"
    b"y5daw+6#x|g6#@V}DFzuP03rYY044w&6$%+81^^it0eKY+79tjs0~VM9CZGa57zh9W00000E<hLv000000001h76K>;00000001s"
    b"P7zh9W000000Dut@02v$=02Kfg0suTI1{o#-"
    b"AOHXW7O(~uA|?nHumk`oAaG%Fadl;MEn{$SEn#wUZ+9SeWpZ<AZ*CwmHZCwOF&Qiz000~S000sJ002-yQZW"
)


@pytest.mark.parametrize("kind", ["points", "images"])
def test_a_file_that_would_end_the_process_is_refused_with_a_sentence(tmp_path, kind):
    (tmp_path / "mine.parquet").write_bytes(FATAL)
    command = [sys.executable, "-m", "gan_core", "data", str(tmp_path / "mine.parquet"), "--json", "--kind", kind]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 2 and "mine.parquet cannot be read: it is damaged." in done.stderr + done.stdout


def test_a_good_file_is_tried_once_and_read(monkeypatch):
    file = io.BytesIO()
    pd.DataFrame({"x": np.arange(40) / 7, "y": np.arange(40) % 9}).to_parquet(file)
    assert own_data.propose("mine.parquet", file.getvalue()).count == 40
    monkeypatch.setattr(parquet_trial, "_tried", None)
    assert own_data.propose("mine.parquet", file.getvalue()).columns == ("x", "y")


def test_who_looks_at_the_progress_can_stop_it():
    class Stopped(Exception):
        pass

    def stop(*_):
        raise Stopped

    with pytest.raises(Stopped):
        parquet_trial.survives(FATAL + b"once more", stop)
    with pytest.raises(ConfigError):
        own_data.propose("mine.parquet", FATAL + b"PAR1")
