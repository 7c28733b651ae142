/**
 * Bytes made of pieces of other byte strings. Pieces that lie side by side in one source are copied together: a merge in
 * which one side has long runs of its own copies them whole.
 * @module
 */

/** Up to this many bytes a loop beats a native copy and the view it needs. */
const COPY_LOOP = 32

/** Appends ranges to a buffer of a size known before. */
export class Splicer {
  readonly #target: Uint8Array
  #length = 0
  #source: Uint8Array
  #start = 0
  #end = 0

  /** @param capacity - The most bytes that will be appended. */
  constructor(capacity: number) {
    this.#target = new Uint8Array(capacity)
    this.#source = this.#target
  }

  /** Appends `source[start, end)`, which must not change before `finish`. */
  add(source: Uint8Array, start: number, end: number): void {
    if (source === this.#source && start === this.#end) {
      this.#end = end
      return
    }
    this.#flush()
    this.#source = source
    this.#start = start
    this.#end = end
  }

  /** All that has been appended, as bytes of their own. */
  finish(): Uint8Array {
    this.#flush()
    this.#start = this.#end
    return this.#length === this.#target.length ? this.#target : this.#target.slice(0, this.#length)
  }

  #flush(): void {
    const length = this.#end - this.#start
    if (length <= COPY_LOOP) {
      let to = this.#length
      for (let from = this.#start; from < this.#end; from++) this.#target[to++] = this.#source[from] as number
    } else {
      this.#target.set(this.#source.subarray(this.#start, this.#end), this.#length)
    }
    this.#length += length
  }
}
