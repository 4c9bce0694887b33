// Streamlit starts a component from a text of its own; the modules come from our routes. A server
// that does not answer now is asked again.
const address = new URL("CANVAS_ADDRESS", document.baseURI).href;

async function load(tries = 0) {
  try {
    return await import(tries ? `${address}?again=${tries}` : address);
  } catch (error) {
    if (tries > 60) throw error;
    await new Promise((resolve) => { setTimeout(resolve, Math.min(250 * 2 ** tries, 5000)); });
    return load(tries + 1);
  }
}
const loading = load();

export default function component(given) {
  loading.then((module) => module.default(given));
}
