/**
 * A directory of the work tree that is being compared with the index.
 * @module
 */
import { decodeUtf8, fromLatin1 } from '../base/bytes.js'
import { IgnoreRules } from './ignore.js'

/** What rules say is worked out when the first untracked name asks. */
export class Place {
  readonly prefix: string
  readonly #list: () => readonly string[]
  #names: readonly string[] | undefined
  readonly #root: string
  readonly #outer: Place | undefined
  #rules: IgnoreRules | undefined
  #hidden: boolean | undefined
  readonly #claimed = new Set<string>()
  #listed: ReadonlySet<string> | undefined

  constructor(root: string, prefix: string, list: () => readonly string[], outer: Place | undefined) {
    this.#root = root
    this.prefix = prefix
    this.#list = list
    this.#outer = outer
  }

  /** What is in it, in ascending order. */
  get names(): readonly string[] {
    this.#names ??= this.#list()
    return this.#names
  }

  /**
   * Takes a name that is in the index out of what is untracked here.
   *
   * @returns The name in its place, where the file system does not tell upper from lower case, or normalises Unicode.
   */
  claim(name: string): string | undefined {
    this.#claimed.add(name)
    this.#listed ??= new Set(this.names)
    if (this.#listed.has(name)) return undefined
    const folded = fold(name)
    const twin = this.names.find((other) => fold(other) === folded)
    if (twin !== undefined) this.#claimed.add(twin)
    return twin
  }

  isClaimed(name: string): boolean {
    return this.#claimed.has(name)
  }

  get rules(): IgnoreRules {
    this.#rules ??= (this.#outer?.rules ?? IgnoreRules.of(this.#root)).enter(this.#root, this.prefix, this.names)
    return this.#rules
  }

  /** Whether all that is untracked here is ignored, because a directory on the way is. */
  get hidden(): boolean {
    const outer = this.#outer
    this.#hidden ??= outer !== undefined && (outer.hidden || outer.rules.ignores(this.prefix.slice(0, -1), true))
    return this.#hidden
  }

  ignores(path: string, isDirectory: boolean): boolean {
    return this.hidden || this.rules.ignores(path, isDirectory)
  }
}

/** What is the same for two names that some file system takes for one. */
function fold(name: string): string {
  return decodeUtf8(fromLatin1(name))?.normalize('NFC').toLowerCase() ?? name
}
