/**
 * Links: what a list says about elements beyond their bytes. They stand in one block before the elements.
 *
 * Without a link, an element's id is its stamp (the revision without its sign), and the element was inserted after the one
 * that stands before it, the first one after the start of the list. Links name the elements for which that is not so:
 *
 *     block = | 'a' or 'A' | length | link | link | ...
 *
 *     link  = | tiny: ZipUint64(4 * skip + form) | stamps, each a tiny record, or a `t` record over 9 bytes |
 *
 *     form 0   | after |             inserted after another element than the one before it
 *     form 1   | id |                written again since it was inserted: its stamp is not its id
 *     form 2   | id | after |        both
 *     form 3   | id |                written again, and where it was inserted is not known here
 *
 * `skip` counts the elements since that of the link before, or since the first. So most links take 2 bytes and
 * a stamp. An id has no negative revision, and {0,0} is the start of the list: as `after` it is fine, as `id` it is not.
 *
 * For example, 7 as {5,2} inserted after {1,1}, where the element before it is another:
 *
 *     61 04  30  32 02 01       block of one link: skip 0, form 0, after {1,1}
 *     69 04  32 0a 02  0e       the element *
 * Canonical lists have no block without links, and no link that says what is so without it; list-cursor.ts sees to that.
 * @module
 */
import { integerRule } from './element.js'
import type { Fault } from './fault.js'
import { StampView } from './stamp.js'
import { encodeRecord, TINY_MAX, TlvWriter } from './tlv.js'
import { halfAt, zipPair, zipUint, zipUint64Pair } from './zip.js'

/** Letter of the block, as a char code. */
export const LINKS = 0x41

/** Inserted after another element than the one before it. */
export const AFTER = 0
/** Its stamp is not its id. */
export const ID = 1
/** Its stamp is not its id, and it was inserted after another element than the one before it. */
export const ID_AFTER = 2
/** Where it was inserted is not known here. */
export const ID_ADRIFT = 3

/** What a link says. */
export type LinkForm = typeof AFTER | typeof ID | typeof ID_AFTER | typeof ID_ADRIFT

/** Walks the links of a block in place. */
export class LinkCursor {
  /** Index of the element that the link is about. */
  index = -1
  form: LinkForm = AFTER
  /** Offset of the link, for faults. */
  start = 0
  /** For the forms that have it. */
  readonly id = new StampView()
  /** For the forms that have it. */
  readonly after = new StampView()
  /** The rule that the bytes break, once `next` has met it. */
  fault: Fault | undefined
  readonly #bytes: Uint8Array
  #offset: number
  readonly #end: number

  /** @param start - Where the body of the block begins. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes
    this.#offset = start
    this.#end = end
  }

  /** Steps to the next link; false at the end, and where there is a fault. */
  next(): boolean {
    if (this.#offset === this.#end) return false
    this.start = this.#offset
    const bodyEnd = this.#tiny()
    if (bodyEnd < 0) return false
    const bodyStart = this.#bodyStart
    const rule = integerRule(this.#bytes, bodyStart, bodyEnd)
    if (rule !== undefined) return this.#fail(bodyStart, rule)
    const low = halfAt(this.#bytes, bodyStart, bodyEnd)
    // Rounding in the last bits of a huge skip is no harm: no list has so many elements.
    const head = halfAt(this.#bytes, bodyStart + 4, bodyEnd) * 0x1_0000_0000 + low
    this.form = (low & 3) as LinkForm
    this.index += Math.floor(head / 4) + 1
    if (this.form !== AFTER && !this.#stamp(this.id)) return false
    if ((this.form === AFTER || this.form === ID_AFTER) && !this.#stamp(this.after)) return false
    if (this.form !== AFTER && this.id.isZero) return this.#fail(this.start, '{0,0} is the start of the list, no id')
    return true
  }

  #bodyStart = 0

  /** Steps over a tiny record, or a short `t` record over 9 bytes; answers where it ends, -1 for a fault. */
  #tiny(letter = 0): number {
    const start = this.#offset
    const first = start < this.#end ? (this.#bytes[start] as number) : 0
    let bodyStart = start + 1
    let length = first - 0x30
    if (letter !== 0 && first === letter && bodyStart < this.#end) {
      length = this.#bytes[bodyStart++] as number
      if (length <= TINY_MAX) {
        this.#fail(start, `a stamp of ${length} bytes must be tiny`)
        return -1
      }
    } else if (length < 0 || length > TINY_MAX) {
      this.#fail(start, start < this.#end ? 'no part of a link begins with this byte' : 'the link is cut off')
      return -1
    }
    if (bodyStart + length > this.#end) {
      this.#fail(start, 'the link is cut off')
      return -1
    }
    this.#bodyStart = bodyStart
    this.#offset = bodyStart + length
    return this.#offset
  }

  #stamp(into: StampView): boolean {
    const end = this.#tiny(0x74)
    if (end < 0) return false
    const rule = into.read(this.#bytes, this.#bodyStart, end)
    if (rule !== undefined) return this.#fail(this.#bodyStart, rule)
    return into.dead ? this.#fail(this.#bodyStart, 'an id has no negative revision') : true
  }

  #fail(offset: number, rule: string): false {
    this.fault = { offset, rule }
    return false
  }
}

/** Writes a block. */
export class LinkWriter {
  readonly #writer = new TlvWriter()
  #next = 0

  /**
   * Appends a link. Links come in the order of the elements.
   *
   * @param id - For the forms that have it.
   * @param after - For the forms that have it.
   */
  add(index: number, form: LinkForm, id: StampView, after: StampView): void {
    this.#writer.tiny('U', zipUint((index - this.#next) * 4 + form))
    this.#next = index + 1
    if (form !== AFTER) this.#writer.tiny('T', encodeId(id))
    if (form === AFTER || form === ID_AFTER) this.#writer.tiny('T', encodeId(after))
  }

  /** The block with its header; no bytes when there is no link. */
  block(): Uint8Array {
    const links = this.#writer.view()
    return links.length === 0 ? links : encodeRecord('A', links)
  }
}

/** Bytes of an id, which is a stamp that is not negative. */
function encodeId(id: StampView): Uint8Array {
  // Numbers take a third of the time of bigints.
  if (id.absHigh < 0x10_0000 && id.srcHigh < 0x20_0000) {
    return zipPair(2 * (id.absHigh * 0x1_0000_0000 + id.absLow), id.srcHigh * 0x1_0000_0000 + id.srcLow)
  }
  return zipUint64Pair(2n * id.abs, id.src)
}
