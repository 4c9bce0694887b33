// @ts-check
// An image and what lies over it, decoded; kept for the next ones, so that they show at once.

import { unpackRegions } from "./drawing.js";
import { patience, pause } from "./clock.js";

/**
 * @typedef {{ image: string, overlay?: string | false, regions?: string | false }} Paths
 * @typedef {{ loading: Promise<[HTMLImageElement, HTMLImageElement | null]>, regions: import("./drawing.js").Regions | null }} Layer
 */

const MOST_TRIES = 12;

export class Layers {
  /** @param {(path: string, query?: Record<string, any>) => string} url @param {(layer: Layer) => void} arrived */
  constructor(url, arrived) {
    this.url = url;
    this.arrived = arrived;
    /** @type {Map<string, Layer>} */
    this.known = new Map();
    /** @type {Map<string, Promise<HTMLImageElement>>} */
    this.pictures = new Map();
    /** @type {Map<string, Promise<import("./drawing.js").Regions | null>>} one try at a time, however often it is asked for */
    this.fetching = new Map();
    this.stopped = false;
  }

  clear() {
    this.known.clear();
    this.pictures.clear();
  }

  /** What lies over the images has changed; they have not. */
  renew() { this.known.clear(); }

  /** An image, decoded once. @param {string} path */
  picture(path) {
    const known = this.pictures.get(path);
    if (known) return known;
    const loading = decoded(this.url(path));
    this.pictures.set(path, loading);
    loading.catch(() => { if (this.pictures.get(path) === loading) this.pictures.delete(path); });
    return loading;
  }

  /** @param {string} key */
  drop(key) { this.known.delete(key); }

  /**
   * @param {string} key @param {Paths} paths
   * @param {Record<string, any>} newest which state of the model looks at it, where it matters
   * @returns {Layer}
   */
  of(key, paths, newest = {}) {
    const known = this.known.get(key);
    if (known) return known;
    /** @type {Layer} */
    const layer = {
      loading: Promise.all([this.picture(paths.image), paths.overlay ? decoded(this.url(paths.overlay, newest)) : null]),
      regions: null,
    };
    layer.loading.catch(() => { if (this.known.get(key) === layer) this.known.delete(key); });
    this.known.set(key, layer);
    if (paths.regions) {
      this.regions(this.url(paths.regions, newest)).then((regions) => {
        if (!regions) return;
        layer.regions = regions;
        this.arrived(layer);
      });
    }
    return layer;
  }

  /** @param {string} address */
  regions(address) {
    const known = this.fetching.get(address);
    if (known) return known;
    const trying = this.tryRegions(address).finally(() => this.fetching.delete(address));
    this.fetching.set(address, trying);
    return trying;
  }

  /** @param {string} address */
  async tryRegions(address) {
    for (let tries = 0; tries < MOST_TRIES && !this.stopped; tries += 1) {
      try {
        const response = await fetch(address);
        if (response.ok) return unpackRegions(await response.arrayBuffer());
        // the worker has not made them yet: that does not get longer
        if (response.status === 404) { await pause(1000); continue; }
      } catch { /* offline: again, later and later */ }
      await pause(patience(tries));
    }
    return null;
  }
}

/** @param {string} url */
async function decoded(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}
