// @ts-check
// An image and what lies over it, decoded; kept for the next ones, so that they show at once.

import { unpackRegions } from "./drawing.js";
import { patience, pause } from "./clock.js";

/**
 * @typedef {{ image: string, overlay?: string | false, regions?: string | false, later?: boolean }} Paths
 *   later: the regions can wait until the image is painted
 * @typedef {{ loading: Promise<[HTMLImageElement, HTMLImageElement | null]>, regions: import("./drawing.js").Regions | null }} Layer
 */

const MOST_TRIES = 12;
/** Milliseconds in which an image that has come is painted: nobody marks a region of it before. */
const PAINTED = 50;

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
    /** @type {[string, string] | null} an overlay that came without being asked for: its address and itself */
    this.brought = null;
    this.stopped = false;
  }

  /** An overlay has come with an answer. @param {string} path @param {Record<string, any>} query @param {string} source */
  bring(path, query, source) { this.brought = [this.url(path, query), source]; }

  /** @param {string} address */
  overlay(address) { return decoded(this.brought?.[0] === address ? this.brought[1] : address); }

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
      loading: Promise.all([this.picture(paths.image), paths.overlay ? this.overlay(this.url(paths.overlay, newest)) : null]),
      regions: null,
    };
    layer.loading.catch(() => { if (this.known.get(key) === layer) this.known.delete(key); });
    this.known.set(key, layer);
    if (paths.regions) this.fill(layer, this.url(paths.regions, newest), paths.later ? PAINTED : 0);
    return layer;
  }

  /** Fetch the regions of a layer. @param {Layer} layer @param {string} address @param {number} wait milliseconds after the image */
  async fill(layer, address, wait) {
    if (wait) {
      try { await layer.loading; } catch { return; }
      await pause(wait);
    }
    const regions = await this.regions(address);
    if (!regions) return;
    layer.regions = regions;
    this.arrived(layer);
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
