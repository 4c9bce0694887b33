// What the page says to the server and fetches from it.

class Server {
  constructor({ base, token }) {
    Object.assign(this, { base, token });
    this.outbox = new Outbox(`clickstudy/${token}`);
    this.page = newId();
    this.tab = sessionStorage.getItem("clickstudy/tab") || newId();
    sessionStorage.setItem("clickstudy/tab", this.tab);
    this.offsets = [];
    this.flushing = null;
  }

  url(path, query = {}) {
    return `${this.base}${path}?${new URLSearchParams({ p: this.token, ...query })}`;
  }

  async ask(path, body = null, query = {}, patience = 8000) {
    const sent = performance.now();
    const options = { signal: AbortSignal.timeout(patience) };
    if (body) Object.assign(options, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ tab: this.tab, page: this.page, ...body }) });
    const response = await fetch(this.url(path, query), options);
    const answer = await response.json();
    if (!response.ok) throw Object.assign(new Error(answer.problem || response.statusText), { status: response.status });
    if (answer && answer.state) this.synchronise(sent, performance.now(), answer.state.now);
    return answer;
  }

  // server clock minus ours, from the quickest of the last answers
  synchronise(sent, received, serverNow) {
    const middle = (performance.timeOrigin + (sent + received) / 2) / 1000;
    this.offsets = [...this.offsets.slice(-9), [received - sent, serverNow - middle]];
  }

  serverTime(timeStamp) {
    const [, offset] = this.offsets.reduce((a, b) => (b[0] < a[0] ? b : a), [Infinity, 0]);
    return (performance.timeOrigin + timeStamp) / 1000 + offset;
  }

  // send the outbox; resolves to the answer to the last message sent
  async flush() {
    if (this.flushing) return this.flushing;
    this.flushing = (async () => {
      let answer = null;
      for (;;) {
        const messages = this.outbox.messages().slice(0, 20);
        if (!messages.length) return answer;
        answer = await this.ask("/api/events", { messages });
        this.outbox.drop(answer.results);
        for (const [id, reason] of Object.entries(answer.results)) if (reason) console.warn("refused", id, reason);
      }
    })();
    try {
      return await this.flushing;
    } finally {
      this.flushing = null;
    }
  }

  // told as the page is left: a beacon is sent also then
  release() {
    const body = new Blob([JSON.stringify({ page: this.page })], { type: "application/json" });
    navigator.sendBeacon(this.url("/api/release"), body);
  }
}
