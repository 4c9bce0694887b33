// @ts-check
// Streamlit starts this on the experimenter's page: it has the browser fetch, or drop, the cookie
// that keeps the page open when it is loaded again. What it was told last is not said twice.
let said = "";

/** @param {{ data: { ticket: string, leave: boolean } }} given */
export default function component({ data }) {
  const now = data.leave ? "leave" : data.ticket;
  if (!now || now === said) return;
  said = now;
  const path = data.leave ? "api/experimenter/leave" : "api/experimenter/keep";
  fetch(new URL(path, document.baseURI), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ticket: data.ticket }),
  }).catch(() => { said = ""; });
}
