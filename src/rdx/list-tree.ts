/**
 * The causal tree of a list: what is known of every element, joined from any number of lists and patches.
 *
 * Of an id two things are known, each joined by itself, and both joins are a maximum or minimum. That alone makes merging
 * associative, commutative and idempotent:
 *
 *     content   the element written there, tombstone or not: the one of higher rank (element.ts)
 *     after     what it was inserted after: not known, or an id. Of two, the older one
 *
 * Two lists that name different places for one id break the rules, unless one of them is in reading order only, as older
 * lists are. There the element before is at worst a descendant of the right one, so it is never older than that.
 *
 * Reading order is depth first from the start of the list, newest first among those inserted after the same element. What
 * that does not reach is adrift: its place is not here yet, or it goes round in a circle, which only forgers write. It is
 * kept and not shown.
 *
 * Elements are numbers here, as list-ids.ts gives them, and arrays say what is known of them. Nothing recurses.
 * @module
 */
import { compareRank, type ElementView, RecordCursor } from './element.js'
import { checkList, grown, roomFor } from './list-check.js'
import { ListCursor, sameId } from './list-cursor.js'
import { IdTable, NONE, START } from './list-ids.js'
import { AFTER, ID, ID_ADRIFT, ID_AFTER, LinkWriter } from './list-links.js'
import { Splicer } from './splicer.js'
import { StampView } from './stamp.js'

/** Joins lists, and writes the result. */
export class CausalTree {
  readonly ids: IdTable
  readonly #inputs: Uint8Array[] = []
  /** By number: what the element was inserted after, `NONE` when that is not known. */
  #after = new Int32Array(64).fill(NONE)
  /** By number: the input that the content is from, `NONE` when there is none, as for an id that was only named. */
  #input = new Int32Array(64).fill(NONE)
  /** By number: where the content's record is. */
  #start = new Int32Array(64)
  #end = new Int32Array(64)
  /** By number: whether the content's stamp, its sign left out, is another than the id. */
  #rewritten = new Uint8Array(64)
  readonly #id = new StampView()
  readonly #place = new StampView()

  /** @param room - Ids to set memory aside for at first. */
  constructor(room = 0) {
    this.ids = new IdTable(room)
  }

  /** A tree of one list, checked and joined in one walk; an empty tree for bytes that are no list. */
  static of(bytes: Uint8Array): CausalTree {
    const tree = new CausalTree(roomFor(bytes))
    tree.#inputs.push(bytes)
    const { fault } = checkList(bytes, tree.ids, (id, after, { view, id: stamp }) =>
      tree.#join(id, after, 0, view, stamp),
    )
    return fault === undefined ? tree : new CausalTree()
  }

  /** Joins a list, which must be one: canonical or older. */
  addList(bytes: Uint8Array): void {
    const cursor = new ListCursor(bytes)
    const input = this.#inputs.push(bytes) - 1
    let before = START
    while (cursor.next()) {
      const id = this.ids.intern(cursor.id)
      const after = cursor.follows ? before : cursor.attached ? this.ids.intern(cursor.after) : NONE
      this.#join(id, after, input, cursor.view, cursor.id)
      before = id
    }
  }

  /**
   * Joins one element.
   *
   * @param after - Number of what it was inserted after, `NONE` when not known.
   * @returns False, and nothing is joined, when the tree has an element with this id.
   */
  addNew(id: number, after: number, view: ElementView): boolean {
    if (id < this.#input.length && this.#input[id] !== NONE) return false
    if (this.#inputs.at(-1) !== view.bytes) this.#inputs.push(view.bytes)
    this.ids.read(id, this.#id)
    this.#join(id, after, this.#inputs.length - 1, view, this.#id)
    return true
  }

  #join(id: number, after: number, input: number, view: ElementView, idStamp: StampView): void {
    this.#reserve(Math.max(id, after) + 1)
    const place = this.#after[id] as number
    if (after !== NONE && (place === NONE || this.ids.compareAge(after, place) < 0)) this.#after[id] = after
    const known = this.#input[id] as number
    if (known !== NONE && !this.#outranks(view, id, known)) return
    this.#input[id] = input
    this.#start[id] = view.start
    this.#end[id] = view.end
    this.#rewritten[id] = sameId(view.stamp, idStamp) ? 0 : 1
  }

  #outranks(view: ElementView, id: number, known: number): boolean {
    const cursor = new RecordCursor(this.#inputs[known] as Uint8Array, this.#start[id], this.#end[id])
    cursor.nextElement()
    return compareRank(view, cursor.view) > 0
  }

  /** Writes the list of all that has been joined, in canonical form. */
  write(): Uint8Array {
    const order = this.#order()
    let bytes = 0
    for (const id of order) bytes += (this.#end[id] as number) - (this.#start[id] as number)
    const links = this.#links(order)
    const output = new Splicer(bytes + links.length)
    output.add(links, 0, links.length)
    for (const id of order) {
      output.add(
        this.#inputs[this.#input[id] as number] as Uint8Array,
        this.#start[id] as number,
        this.#end[id] as number,
      )
    }
    return output.finish()
  }

  #links(order: Int32Array): Uint8Array {
    const links = new LinkWriter()
    const [id, after] = [this.#id, this.#place]
    let before = START
    for (let i = 0; i < order.length; i++) {
      const at = order[i] as number
      const place = this.#after[at] as number
      const rewritten = this.#rewritten[at] === 1
      if (place !== before || rewritten) {
        this.ids.read(at, id)
        if (place !== NONE) this.ids.read(place, after)
        const form = place === NONE ? ID_ADRIFT : place === before ? ID : rewritten ? ID_AFTER : AFTER
        links.add(i, form, id, after)
      }
      before = at
    }
    return links.block()
  }

  /** Numbers of all elements in canonical order; see list-check.ts. */
  #order(): Int32Array {
    const order = new Int32Array(this.ids.count)
    this.#reserve(this.ids.count)
    const reachable = this.#read(order)
    let count = reachable
    const reached = new Uint8Array(this.ids.count)
    for (let i = 0; i < reachable; i++) reached[order[i] as number] = 1
    for (let id = START + 1; id < this.ids.count; id++) {
      if (this.#input[id] !== NONE && reached[id] === 0) order[count++] = id
    }
    if (count - reachable > 1) order.subarray(reachable, count).sort((a, b) => this.ids.compareAuthor(a, b))
    return order.subarray(0, count)
  }

  /** Puts the numbers of what hangs together with the start into `order`, in reading order; answers how many. */
  #read(order: Int32Array): number {
    const after = this.#after
    const { first, next } = this.#branches()
    let count = 0
    let at = START
    for (;;) {
      let step = first[at] as number
      // At the end of a branch, go back until an element has one more inserted after it.
      while (step === NONE) {
        if (at === START) return count
        step = next[at] as number
        at = after[at] as number
      }
      at = step
      order[count++] = at
    }
  }

  /** By number: the newest element inserted after it, and the next older one inserted after the same. */
  #branches(): { first: Int32Array; next: Int32Array } {
    const { count } = this.ids
    const after = this.#after
    const first = new Int32Array(count).fill(NONE)
    const next = new Int32Array(count).fill(NONE)
    const forked: number[] = []
    for (let id = START + 1; id < count; id++) {
      const place = after[id] as number
      if (place === NONE) continue
      if (first[place] === NONE) first[place] = id
      else forked.push(id)
    }
    if (forked.length === 0) return { first, next }
    // Most elements have one after them. Only where there are more, they must be sorted.
    for (let i = forked.length - 1; i >= 0; i--) {
      const place = after[forked[i] as number] as number
      const one = first[place] as number
      if (one === NONE) continue
      forked.push(one)
      first[place] = NONE
    }
    const oldest = Int32Array.from(forked).sort((a, b) => this.ids.compareAge(a, b))
    for (const id of oldest) {
      const place = after[id] as number
      next[id] = first[place] as number
      first[place] = id
    }
    return { first, next }
  }

  #reserve(room: number): void {
    const length = this.#after.length
    if (room <= length) return
    const size = room * 2
    this.#after = grown(this.#after, size).fill(NONE, length)
    this.#input = grown(this.#input, size).fill(NONE, length)
    this.#start = grown(this.#start, size)
    this.#end = grown(this.#end, size)
    const rewritten = new Uint8Array(size)
    rewritten.set(this.#rewritten)
    this.#rewritten = rewritten
  }
}
