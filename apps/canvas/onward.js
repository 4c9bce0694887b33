// @ts-check
// Back to where the participant came from, once nothing is left to do here.

/** Time to keep the receipt and copy the code. */
export const SECONDS = 20;

export class Onward {
  /** @param {(url: string) => void} go @param {(act: () => void, milliseconds: number) => unknown} later */
  constructor(go = (url) => window.location.assign(url), later = (act, ms) => window.setTimeout(act, ms)) {
    this.go = go;
    this.later = later;
    this.told = "";
  }

  /** Go there after a while; said again, it is once. @param {string | null | undefined} url */
  to(url) {
    if (!url || this.told) return;
    this.told = url;
    this.later(() => this.go(url), SECONDS * 1000);
  }
}
