/**
 * The order that sets and the keys of maps have in a text: the one they have in bytes. A text out of order is refused, so
 * that a text and the state it stands for are in a one-to-one relation but for white space.
 * @module
 */
import { compareIdentity, ElementView } from './element.js'
import type { TextReader } from './text.js'

/** Compares every element that a reader has read with the one before. */
export class TextOrder {
  #before = new ElementView()
  #now = new ElementView()
  #any = false

  /**
   * Takes the element that the reader has just read.
   *
   * @param at - Where in the text it begins, for the error.
   * @throws {CodedError} `RDX_TEXT` when it is not after the one before.
   */
  check(reader: TextReader, at: number): void {
    const now = this.#now
    now.letter = reader.letter.charCodeAt(0)
    now.bytes = reader.bytes
    now.valueStart = 0
    now.end = reader.bytes.length
    const order = this.#any ? compareIdentity(this.#before, now) : -1
    if (order >= 0)
      throw reader.fail(order === 0 ? 'the same element stands twice' : 'the elements are not in order', at)
    this.#any = true
    this.#now = this.#before
    this.#before = now
  }
}
