/**
 * The text form of lists.
 *
 *     [1{1,1},12{5,2},2{2,1}<{1,1},null{-7,3}@{3,1}]
 *
 *     item = value stamp? | id | after |       in the order of the bytes, so reading order, and what is adrift behind
 *     id     @{rev,src}                        where the stamp is not the id: the item was written again
 *     after  <{rev,src}                        where it was inserted after another than the item before it
 *            <?                                where that is not known
 *
 * The plain form has the values that the list shows and nothing else: [1,12,2]. It can be read too: an item with neither
 * stamp nor id gets the id of the item before it with the next revision, the first one {1,0}. Items may be read in any order.
 * @module
 */
import { RecordCursor } from './element.js'
import { ListCursor, sameId } from './list-cursor.js'
import { NONE, START } from './list-ids.js'
import { CausalTree } from './list-tree.js'
import { encodeStamp, REV_MAX, StampView } from './stamp.js'
import type { TextReader } from './text.js'
import { TextWriter } from './text-writer.js'
import { TlvWriter } from './tlv.js'

/** Exact text of a canonical list. */
export function formatList(tlv: Uint8Array): string | undefined {
  const text = new TextWriter(2 * tlv.length + 16).ascii('[')
  const cursor = new ListCursor(tlv)
  for (let comma = ''; cursor.next(); comma = ',') {
    text.ascii(comma).element(cursor.view, true)
    if (!sameId(cursor.id, cursor.view.stamp)) text.ascii('@').stamp(cursor.id)
    if (cursor.follows) continue
    if (cursor.attached) text.ascii('<').stamp(cursor.after)
    else text.ascii('<?')
  }
  return text.ascii(']').finish()
}

/** Plain text of a canonical list, `reachable` of whose elements hang together with the start. */
export function formatPlainList(tlv: Uint8Array, reachable: number): string | undefined {
  const text = new TextWriter(2 * tlv.length + 16).ascii('[')
  const cursor = new ListCursor(tlv)
  let comma = ''
  while (cursor.next() && cursor.index < reachable) {
    if (cursor.view.stamp.dead) continue
    text.ascii(comma).value(cursor.view)
    comma = ','
  }
  return text.ascii(']').finish()
}

/** Reads a list, in either form, and answers the canonical bytes. Throws as `RdxType.parse`. */
export function readList(reader: TextReader): Uint8Array {
  const items = new Items()
  reader.list('[', ']', () => items.read(reader))
  return items.finish(reader)
}

/** The id of an item that is read, and what it is after. */
class Items {
  readonly #tree = new CausalTree()
  readonly #writer = new TlvWriter()
  readonly #view = new StampView()
  /** By item: numbers of its id and of what it is after, and where its text begins. */
  readonly #ids: number[] = []
  readonly #afters: number[] = []
  readonly #starts: number[] = []
  /** The id of the item before, and its number. */
  readonly #before = new StampView()
  #beforeNumber = START

  read(reader: TextReader): void {
    reader.peek()
    const start = reader.at
    reader.value()
    const stamped = reader.text.charCodeAt(reader.at) === 0x7b
    let stamp = reader.stampBytes()
    let id = stamp
    if (reader.take('@')) id = encodeStamp(reader.pair(0n, REV_MAX))
    else if (!stamped) {
      const { abs, src } = this.#before
      if (abs === REV_MAX) throw reader.fail('no revision is left for an item without a stamp', start)
      id = stamp = encodeStamp({ rev: abs + 1n, src })
    }
    this.#writer.begin(reader.letter).tiny('T', stamp).raw(reader.bytes).end()
    const number = this.#number(id)
    if (number === START) throw reader.fail('{0,0} is the start of the list, no id', start)
    this.#starts.push(start)
    this.#ids.push(number)
    this.#afters.push(this.#after(reader))
    this.#beforeNumber = number
    this.#tree.ids.read(number, this.#before)
  }

  finish(reader: TextReader): Uint8Array {
    const cursor = new RecordCursor(this.#writer.copy())
    for (let i = 0; cursor.nextElement(); i++) {
      if (this.#tree.addNew(this.#ids[i] as number, this.#afters[i] as number, cursor.view)) continue
      throw reader.fail('an item with this id stands before', this.#starts[i])
    }
    return this.#tree.write()
  }

  /** What follows an item: number of what it was inserted after. */
  #after(reader: TextReader): number {
    if (!reader.take('<')) return this.#beforeNumber
    return reader.take('?') ? NONE : this.#number(encodeStamp(reader.pair(0n, REV_MAX)))
  }

  /** Number of the id that a stamp of these bytes stands for. */
  #number(stamp: Uint8Array): number {
    this.#view.read(stamp, 0, stamp.length)
    return this.#tree.ids.intern(this.#view)
  }
}
