/**
 * Walks the elements of a list in place, and tells of each its id and what it was inserted after.
 *
 *     list = | block of links, see list-links.ts, or nothing | element, enveloped | element | ...
 *
 * Older lists have no block. There, a bare `r` record before an element names what the element was inserted after; before
 * a tombstone it names what the tombstone hides:
 *
 *     72 02 0201  69 04 32 0a02 18      after {1,1}: 12 as {5,2}
 *     72 02 0a02  69 04 32 0901 18      {5,2} is deleted, by #1
 *
 * Some of these read as elements of type R as well (a stamp record other than {0,0}, and an id); then they are that. Lists written here have
 * no bare `r`, and lists that have one have no block.
 * @module
 */
import { type ElementView, isFirst, R, RecordCursor } from './element.js'
import type { Fault } from './fault.js'
import { AFTER, ID, ID_ADRIFT, ID_AFTER, LINKS, LinkCursor } from './list-links.js'
import { StampView } from './stamp.js'

/** Whether two ids are the same: two stamps, the signs of their revisions left out. */
export function sameId(a: StampView, b: StampView): boolean {
  return a.absLow === b.absLow && a.srcLow === b.srcLow && a.absHigh === b.absHigh && a.srcHigh === b.srcHigh
}

/** Walks a list. `next` answers whether there is one more element; when not, `fault` tells a broken rule from the end. */
export class ListCursor {
  /** The element itself. */
  readonly view: ElementView
  /** Its id. */
  readonly id = new StampView()
  /** Whether it is known where it was inserted. */
  attached = false
  /** If so, after what. */
  readonly after = new StampView()
  /** Whether that is the element before it, or for the first one the start of the list. */
  follows = false
  /** Whether the list has a bare `r` in what has been read of it. */
  old = false
  /** Elements read before this one. */
  index = -1
  readonly #records: RecordCursor
  #links: LinkCursor | undefined
  /** Whether `#links` stands at a link of an element still to come. */
  #linked = false
  #fault: Fault | undefined

  constructor(bytes: Uint8Array) {
    this.#records = new RecordCursor(bytes)
    this.view = this.#records.view
    if (bytes.length > 0 && ((bytes[0] as number) & ~0x20) === LINKS) this.#enterLinks(bytes)
  }

  /** The rule that the bytes break, once `next` has met it. */
  get fault(): Fault | undefined {
    return this.#fault
  }

  next(): boolean {
    if (this.#fault !== undefined) return false
    const { view, id, after } = this
    if (!this.#records.next()) return this.#atEnd()
    this.index++
    // What the element before was is needed no more once `after` has it.
    after.copyFrom(id)
    this.follows = true
    this.attached = true
    if (view.letter === R && this.#links === undefined) return this.#readOldOr()
    return this.#readElement() && this.#applyLink()
  }

  #enterLinks(bytes: Uint8Array): void {
    if (!this.#records.next()) {
      this.#fault = this.#records.fault
      return
    }
    if (this.view.bodyStart === this.view.end) this.#fail(this.view.start, 'a block without links must be left out')
    this.#links = new LinkCursor(bytes, this.view.bodyStart, this.view.end)
    this.#stepLink()
  }

  #stepLink(): void {
    const links = this.#links as LinkCursor
    this.#linked = links.next()
    this.#fault ??= links.fault
  }

  #atEnd(): false {
    this.#fault = this.#records.fault
    if (this.#linked && this.#fault === undefined) {
      const { start, index } = this.#links as LinkCursor
      this.#fail(start, `a link is about element ${index}, and the last one is ${this.index}`)
    }
    return false
  }

  /** Reads the record at hand, which must be an element, and takes its stamp for its id. */
  #readElement(): boolean {
    const { view, id } = this
    if (!isFirst(view.letter)) {
      return this.#fail(view.start, `no element of a list has the type "${String.fromCharCode(view.letter)}"`)
    }
    this.#fault = view.readBody()
    if (this.#fault !== undefined) return false
    id.copyFrom(view.stamp)
    id.dead = false
    return true
  }

  #checkId(): boolean {
    return this.id.isZero ? this.#fail(this.view.start, '{0,0} is the start of the list, no id') : true
  }

  /** Puts in what the link at hand says, if it is about this element. */
  #applyLink(): boolean {
    const links = this.#links
    if (links === undefined || !this.#linked || links.index !== this.index) return this.#checkId()
    const { form, start } = links
    if (form === ID || form === ID_AFTER) {
      if (sameId(this.id, links.id)) return this.#fail(start, "the link names the element's own stamp as its id")
    }
    if (form !== AFTER) this.id.copyFrom(links.id)
    if (form === AFTER || form === ID_AFTER) {
      if (sameId(this.after, links.after))
        return this.#fail(start, 'the link names the element before as what it is after')
      this.after.copyFrom(links.after)
      this.follows = false
    }
    if (form === ID_ADRIFT) this.attached = this.follows = false
    if (!this.#checkId()) return false
    this.#stepLink()
    return this.#fault === undefined
  }

  /** Reads an `r` record where there is no block: an element of type R, or a bare id and the element that follows. */
  #readOldOr(): boolean {
    const { view, after } = this
    if (this.#readElement() && this.#checkId()) return true
    if (after.read(view.bytes, view.bodyStart, view.end) !== undefined || after.dead) return false
    this.#fault = undefined
    const named = view.start
    this.old = true
    this.follows = false
    if (!this.#records.next()) {
      this.#fault = this.#records.fault
      return this.#fault === undefined ? this.#fail(named, 'no element follows the id') : false
    }
    if (!this.#readElement()) return false
    if (!view.stamp.dead) return this.#checkId()
    this.attached = false
    this.id.copyFrom(after)
    return this.#checkId()
  }

  #fail(offset: number, rule: string): false {
    this.#fault = { offset, rule }
    return false
  }
}
