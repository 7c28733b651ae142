/**
 * A stack of boxes `[x0, x1) x [y0, y1)`, with a number on each: what a diff has yet to look at.
 *
 * Halving a diff again and again wants recursion, but the depth of that is up to whoever wrote the lines. Five numbers to
 * a box, in one array, so that no box is an object.
 * @module
 */

/** The stack; `pop` shows what was on top in its fields. */
export class BoxStack {
  x0 = 0
  x1 = 0
  y0 = 0
  y1 = 0
  tag = 0
  #length = 0
  #cells = new Int32Array(320)

  push(x0: number, x1: number, y0: number, y1: number, tag: number): void {
    if (this.#length === this.#cells.length) {
      const cells = new Int32Array(this.#cells.length * 2)
      cells.set(this.#cells)
      this.#cells = cells
    }
    const cells = this.#cells
    let at = this.#length
    cells[at++] = x0
    cells[at++] = x1
    cells[at++] = y0
    cells[at++] = y1
    cells[at++] = tag
    this.#length = at
  }

  /** Takes the top off; false when there is none. */
  pop(): boolean {
    if (this.#length === 0) return false
    const cells = this.#cells
    this.tag = cells[--this.#length] as number
    this.y1 = cells[--this.#length] as number
    this.y0 = cells[--this.#length] as number
    this.x1 = cells[--this.#length] as number
    this.x0 = cells[--this.#length] as number
    return true
  }
}
