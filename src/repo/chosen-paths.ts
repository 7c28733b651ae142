/**
 * Paths as a person chose them: files, and directories with all that is below them.
 * @module
 */
import { CodedError } from '../base/error.js'
import { parsePath } from './path-text.js'

/** A choice of paths; all paths where none was named. */
export class ChosenPaths {
  readonly #chosen: readonly { readonly text: string; readonly path: string }[]
  readonly #found = new Set<string>()

  /** @param texts - As people write them, with a slash behind directories or not. */
  constructor(texts: readonly string[] = []) {
    this.#chosen = texts.map((text) => ({ text, path: parsePath(text) }))
  }

  /** Whether everything is chosen. */
  get all(): boolean {
    return this.#chosen.length === 0 || this.#chosen.some(({ path }) => path === '')
  }

  /** What to look below to find all that is chosen: binary strings, '' for everything. */
  get roots(): readonly string[] {
    return this.all ? [''] : this.#chosen.map(({ path }) => path)
  }

  /** Whether a path (binary string) is among them. */
  includes(path: string): boolean {
    if (this.all) return true
    let included = false
    for (const { path: chosen } of this.#chosen) {
      if (path !== chosen && !path.startsWith(`${chosen}/`)) continue
      this.#found.add(chosen)
      included = true
    }
    return included
  }

  /**
   * Refuses the choice if a part of it included none of the paths asked for.
   *
   * @throws {CodedError} `PATH_UNKNOWN`.
   */
  assertFound(where: string): void {
    if (this.all) return
    const missing = this.#chosen.find(({ path }) => !this.#found.has(path))
    if (missing === undefined) return
    throw new CodedError('PATH_UNKNOWN', `There is no ${missing.text} ${where}.`, {
      hint: '`weft ls` shows the paths there are, `weft ls --at <version>` those there were.',
      data: { path: missing.text },
    })
  }
}
