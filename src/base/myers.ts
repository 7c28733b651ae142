/**
 * The middle of a shortest edit script, or, when that takes too long to find, of a good one.
 *
 * Myers' O(ND) algorithm in its linear-space form: search from both corners of the edit graph at once, one edit more at
 * a time, and keep for each diagonal only the furthest point reached. Where the two searches meet, a shortest path
 * passes; both halves are then solved alike by the caller.
 *
 *          y0 . . . . . y1          x runs over a, y over b; a step right deletes a[x], a step down inserts b[y],
 *     x0   *---.                    a diagonal step keeps a line. Diagonal k holds the points with x - y = k.
 *              \
 *               *--.  <- meet
 *                   \
 *     x1             *
 *
 * The cost bound is what this differs in from the paper. A search that would need over `maxCost` edits from either side
 * stops and offers the furthest point of the forward search instead, so that one split costs at most O(maxCost^2) steps
 * beside the common lines it follows, however different the inputs.
 * @see Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1 (1986), section 4b.
 * @module
 */

/** Diagonals outside of the search are as bad as can be. */
const NEVER_FORWARD = -1
const NEVER_BACKWARD = 0x7fffffff

/** Finds split points. Its arrays are kept from call to call, so one object serves many diffs, one at a time. */
export class MiddleSearch {
  /** The split point that the last call of `find` found. */
  x = 0
  y = 0
  /** Work done so far: diagonals visited and lines followed, over all calls. */
  steps = 0
  #forward = new Int32Array(64)
  #backward = new Int32Array(64)

  /**
   * Sets `x` and `y` to a point through which to split the box `[x0, x1) x [y0, y1)`.
   *
   * The box must have something on both sides, and its first and last lines must differ.
   *
   * @param maxCost - Edits to search from each side.
   * @param maxSteps - Gives up when `steps` gets beyond this.
   * @returns Whether a shortest edit script passes the point. Otherwise it is just the furthest point reached.
   */
  find(
    a: Int32Array,
    x0: number,
    x1: number,
    b: Int32Array,
    y0: number,
    y1: number,
    maxCost: number,
    maxSteps: number,
  ): boolean {
    const lowest = x0 - y1
    const highest = x1 - y0
    const zero = 1 - lowest
    this.#reserve(highest - lowest + 3)
    const forward = this.#forward
    const backward = this.#backward
    const forwardMiddle = x0 - y0
    const backwardMiddle = x1 - y1
    const odd = ((forwardMiddle - backwardMiddle) & 1) !== 0
    let forwardLow = forwardMiddle
    let forwardHigh = forwardMiddle
    let backwardLow = backwardMiddle
    let backwardHigh = backwardMiddle
    let steps = this.steps
    forward[zero + forwardMiddle] = x0
    backward[zero + backwardMiddle] = x1
    for (let cost = 1; cost <= maxCost && steps <= maxSteps; cost++) {
      // The band of diagonals widens by one on each side, until it reaches the edge of the box and shrinks again.
      if (forwardLow > lowest) forward[zero + --forwardLow - 1] = NEVER_FORWARD
      else forwardLow++
      if (forwardHigh < highest) forward[zero + ++forwardHigh + 1] = NEVER_FORWARD
      else forwardHigh--
      for (let k = forwardHigh; k >= forwardLow; k -= 2) {
        const below = forward[zero + k - 1] as number
        const above = forward[zero + k + 1] as number
        const from = below >= above ? below + 1 : above
        let x = from
        let y = x - k
        while (x < x1 && y < y1 && a[x] === b[y]) {
          x++
          y++
        }
        steps += x - from + 1
        forward[zero + k] = x
        if (odd && k >= backwardLow && k <= backwardHigh && (backward[zero + k] as number) <= x) {
          return this.#found(x, y, steps)
        }
      }
      if (backwardLow > lowest) backward[zero + --backwardLow - 1] = NEVER_BACKWARD
      else backwardLow++
      if (backwardHigh < highest) backward[zero + ++backwardHigh + 1] = NEVER_BACKWARD
      else backwardHigh--
      for (let k = backwardHigh; k >= backwardLow; k -= 2) {
        const below = backward[zero + k - 1] as number
        const above = backward[zero + k + 1] as number
        const from = below < above ? below : above - 1
        let x = from
        let y = x - k
        while (x > x0 && y > y0 && a[x - 1] === b[y - 1]) {
          x--
          y--
        }
        steps += from - x + 1
        backward[zero + k] = x
        if (!odd && k >= forwardLow && k <= forwardHigh && x <= (forward[zero + k] as number)) {
          return this.#found(x, y, steps)
        }
      }
    }
    let best = -1
    for (let k = forwardHigh; k >= forwardLow; k -= 2) {
      const x = Math.min(forward[zero + k] as number, x1, y1 + k)
      const reach = x + x - k
      if (reach <= best) continue
      best = reach
      this.x = x
      this.y = x - k
    }
    this.steps = steps
    return false
  }

  #found(x: number, y: number, steps: number): true {
    this.x = x
    this.y = y
    this.steps = steps
    return true
  }

  #reserve(room: number): void {
    if (room <= this.#forward.length) return
    const size = Math.max(room, this.#forward.length * 2)
    this.#forward = new Int32Array(size)
    this.#backward = new Int32Array(size)
  }
}
