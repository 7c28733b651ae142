/**
 * A file's bytes at one state, straight from its entries.
 * @module
 */
import { type OpenRun, StateWalk } from './walk.js'

/** Reads one file after the other. */
export class ContentReader extends StateWalk {
  /** Told so far, as whole arrays. */
  readonly #parts: Uint8Array[] = []
  /** The last piece told, not in `#parts` yet, since what follows may adjoin it. */
  #bytes: Uint8Array = new Uint8Array(0)
  #from = 0
  #to = 0

  /** The bytes of the file whose entries were taken; the next one begins. */
  finish(): Uint8Array {
    this.closeAll()
    if (this.#to > this.#from) this.#parts.push(this.#bytes.subarray(this.#from, this.#to))
    const [only] = this.#parts
    // A file may have more parts than a call may have arguments.
    const content = this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts)
    this.#parts.length = 0
    this.#from = this.#to = 0
    return content
  }

  protected tell({ bytes }: OpenRun, from: number, to: number): void {
    if (bytes === this.#bytes && from === this.#to) {
      this.#to = to
      return
    }
    if (this.#to > this.#from) this.#parts.push(this.#bytes.subarray(this.#from, this.#to))
    this.#bytes = bytes
    this.#from = from
    this.#to = to
  }
}
