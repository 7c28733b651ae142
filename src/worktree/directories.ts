/**
 * The directories of an index: which one an entry is in, and which one a path names.
 *
 * Entries are in order and the ranges of directories nest, so the directory of an entry is found by search.
 * @module
 */
import { toLatin1 } from '../base/bytes.js'
import type { Columns } from './index-columns.js'

export class Directories {
  readonly #columns: Columns
  /** Path of each directory, with a slash behind it; the top's is empty. */
  readonly prefixes: readonly string[]
  readonly #behind: Uint32Array
  #numbers: Map<string, number> | undefined

  constructor(columns: Columns) {
    this.#columns = columns
    const { directories, parent, dirNameEnd, dirNames } = columns
    const names = toLatin1(dirNames)
    const prefixes = ['']
    for (let k = 1; k < directories; k++) {
      const name = names.slice(dirNameEnd[k - 1], dirNameEnd[k])
      prefixes.push(`${prefixes[parent[k] as number]}${name}/`)
    }
    this.prefixes = prefixes
    this.#behind = numbersBehind(columns)
  }

  /** Number of the directory with this path, a slash behind it. */
  find(prefix: string): number | undefined {
    this.#numbers ??= new Map(this.prefixes.map((path, k) => [path, k]))
    return this.#numbers.get(prefix)
  }

  /** The last directory that begins at or before entry `i`. */
  #before(i: number): number {
    const { first, directories } = this.#columns
    let low = 0
    let high = directories
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if ((first[middle] as number) <= i) low = middle
      else high = middle
    }
    return low
  }

  /** Number of the directory that entry `i` is in. */
  of(i: number): number {
    const { end, parent } = this.#columns
    let k = this.#before(i)
    while (i >= (end[k] as number)) k = parent[k] as number
    return k
  }

  prefixOf(i: number): string {
    return this.prefixes[this.of(i)] as string
  }

  /** The first entry behind `i` that may be in another directory than `i`. */
  runEnd(i: number): number {
    const { first, end, entries } = this.#columns
    return Math.min(end[this.of(i)] as number, first[this.#before(i) + 1] ?? entries)
  }

  /** Calls `visit` with the numbers of the directories right in directory `k`. */
  eachChild(k: number, visit: (child: number) => void): void {
    const { directories, parent } = this.#columns
    for (let c = k + 1; c < directories && parent[c] === k; c = this.#behind[c] as number) visit(c)
  }
}

/** For each directory, the number behind it and all that is below it. */
function numbersBehind({ directories, parent }: Columns): Uint32Array {
  // What is below a directory has a range of numbers, so its end is one more than the greatest.
  const behind = Uint32Array.from({ length: directories }, (_, k) => k + 1)
  for (let k = directories - 1; k > 0; k--) {
    const above = parent[k] as number
    if ((behind[above] as number) < (behind[k] as number)) behind[above] = behind[k] as number
  }
  return behind
}
