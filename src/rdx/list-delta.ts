/**
 * The change that turns a list into one that reads as given values.
 *
 * What the two have in common stays; the rest is deleted and inserted, with fresh revisions: each of them one above the
 * greatest that the list shows anywhere, in the order of the list. A value that is replaced is a deletion and an insertion,
 * not a new revision in place, so that nobody's concurrent typing at that place is lost. Inserted values stand right after
 * the value before them, and each after the other.
 *
 * A deletion is written as a null term: a tombstone needs no value, and nothing can be read off it that was deleted.
 * @module
 */
import { toLatin1 } from '../base/bytes.js'
import { RecordCursor, writeElement } from './element.js'
import { valueError } from './fault.js'
import { ListCursor } from './list-cursor.js'
import { diffItems } from './list-diff.js'
import { type IdTable, NONE, START } from './list-ids.js'
import { CausalTree } from './list-tree.js'
import { author, describe, type Encoded, encodeNative, type Native } from './native.js'
import { compareRevs, encodeStamp, nextRev, type Stamp, StampView } from './stamp.js'
import { TlvWriter } from './tlv.js'

const NOTHING = new Uint8Array(0)

/**
 * The patch that makes a list read as `natives`.
 *
 * @param tlv - A canonical list.
 * @param reachable - How many of its elements hang together with the start.
 * @throws {CodedError} `RDX_VALUE` for what is no value of an element; `CLOCK_EXHAUSTED` when no revision is left.
 */
export function listDelta(tlv: Uint8Array, reachable: number, natives: readonly Native[], src: bigint): Uint8Array {
  const wanted = encodeAll(natives)
  const tokens = new Tokens()
  const tree = new CausalTree()
  const shown = readShown(tlv, reachable, tree.ids, tokens)
  const target = Int32Array.from(wanted, ({ letter, value }) => tokens.of(letter + toLatin1(value)))
  const { deleted, inserted } = diffItems(shown.tokens, target)
  const edits = new Edits(tree, shown.newest, author(src))
  for (let x = 0, y = 0; x < deleted.length || y < inserted.length; x++, y++) {
    let after = x === 0 ? START : (shown.ids[x - 1] as number)
    for (; inserted[y] === 1; y++) after = edits.insert(after, wanted[y] as Encoded)
    for (; deleted[x] === 1; x++) edits.delete(shown.ids[x] as number)
  }
  return edits.patch()
}

function encodeAll(natives: readonly Native[]): Encoded[] {
  if (!Array.isArray(natives)) throw valueError(`A list is made from an array, not from ${describe(natives)}.`)
  return Array.from(natives as readonly Native[], encodeNative)
}

/** Small numbers for values: equal ones for equal letters and bytes. */
class Tokens {
  readonly #known = new Map<string, number>()

  of(key: string): number {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const token = this.#known.size
    this.#known.set(key, token)
    return token
  }
}

/** What a list shows. */
interface Shown {
  /** Numbers of the ids of the elements shown, in order. */
  readonly ids: Int32Array
  /** Tokens of their values. */
  readonly tokens: Int32Array
  /** Greatest |rev| of all stamps and ids, those that are only named among them. */
  readonly newest: bigint
}

function readShown(tlv: Uint8Array, reachable: number, table: IdTable, tokens: Tokens): Shown {
  const cursor = new ListCursor(tlv)
  const ids = new Int32Array(reachable)
  const values = new Int32Array(reachable)
  const newest = new StampView()
  const raise = (stamp: StampView): void => {
    if (compareRevs(stamp, newest) > 0) newest.copyFrom(stamp)
  }
  let count = 0
  while (cursor.next()) {
    const { view, id } = cursor
    raise(view.stamp)
    raise(id)
    if (cursor.attached) raise(cursor.after)
    if (cursor.index >= reachable || view.stamp.dead) continue
    ids[count] = table.intern(id)
    values[count++] = tokens.of(String.fromCharCode(view.letter) + toLatin1(view.bytes, view.valueStart, view.end))
  }
  return { ids: ids.subarray(0, count), tokens: values.subarray(0, count), newest: newest.abs }
}

/** Collects edits and writes them as a patch. */
class Edits {
  readonly #tree: CausalTree
  readonly #writer = new TlvWriter()
  /** By edit: the number of the element's id, and of what it is inserted after, `NONE` for a deletion. */
  readonly #ids: number[] = []
  readonly #afters: number[] = []
  readonly #id = new StampView()
  readonly #src: bigint
  #rev: bigint

  /** @param tree - Without elements; its ids give the numbers their meaning. */
  constructor(tree: CausalTree, newest: bigint, src: bigint) {
    this.#tree = tree
    this.#rev = newest
    this.#src = src
  }

  /** Inserts a value; answers the number of its id. */
  insert(after: number, { letter, value }: Encoded): number {
    this.#rev = nextRev(this.#rev)
    const stamp: Stamp = { rev: this.#rev, src: this.#src }
    writeElement(this.#writer, letter, stamp, value)
    const bytes = encodeStamp(stamp)
    this.#id.read(bytes, 0, bytes.length)
    const id = this.#tree.ids.intern(this.#id)
    this.#ids.push(id)
    this.#afters.push(after)
    return id
  }

  delete(id: number): void {
    this.#rev = nextRev(this.#rev)
    writeElement(this.#writer, 'T', { rev: -this.#rev, src: this.#src }, NOTHING)
    this.#ids.push(id)
    this.#afters.push(NONE)
  }

  patch(): Uint8Array {
    const cursor = new RecordCursor(this.#writer.copy())
    for (let i = 0; cursor.nextElement(); i++) {
      this.#tree.addNew(this.#ids[i] as number, this.#afters[i] as number, cursor.view)
    }
    return this.#tree.write()
  }
}
