// What Streamlit's components share: the server draws one anew by calling it again with the same element.

// Streamlit also cleans up after a call that a newer frame overtook, while the component itself lives on.
const alive = (component) => component.parentElement.isConnected;

// What has Streamlit take away the object that `made`, a WeakMap, holds for a component's element.
export const remover = (made) => (component) => {
  if (alive(component)) return;
  made.get(component.parentElement)?.remove();
  made.delete(component.parentElement);
};

// A number as the pages write it: 12,345.
export const digits = (value) => value.toLocaleString("en-US");

export const SLEEP = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
