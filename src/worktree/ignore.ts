/**
 * Which untracked files are left alone: the rules of `.gitignore`.
 *
 * Each directory may have a file of rules, `.weftignore` or else `.gitignore`; `.weft/exclude` has some for the whole
 * tree. The last rule that fits decides, those of the directory nearest to the file first. What is below an ignored
 * directory is ignored, whatever rules say. Tracked files are never ignored, which is the caller's to see to.
 *
 * What a rule says is the business of the `ignore` package. Rules and paths are binary strings, so that `?` is one byte,
 * as for git. The package would look at all parents of a path each time and keep the answer for every path; here parents
 * are done with before, so its inner test is asked, and `test/ignore.test.ts` holds all of it to what git says.
 * @see gitignore(5).
 * @module
 */
import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ignore from 'ignore'
import { toLatin1 } from '../base/bytes.js'
import { WEFT_DIRECTORY } from '../repo/layout.js'
import { diskPath } from './disk-path.js'

/** Files of rules by rank: only the first that a directory has counts. */
const RULE_FILES = ['.weftignore', '.gitignore']

/** A longer file of rules is none: git's limit. */
const MAX_BYTES = 100 * 1024 * 1024

/** The part of the package that tests one path, and none of its parents. */
interface Rules {
  test(path: string, mode: 'regex'): { readonly ignored: boolean; readonly unignored: boolean }
}

/** The rules for what is in one directory. Immutable. */
export class IgnoreRules {
  readonly #rules: Rules | undefined
  /** Length of the path of the directory that the rules are relative to, with its slash. */
  readonly #from: number
  readonly #outer: IgnoreRules | undefined

  private constructor(rules: Rules | undefined, from: number, outer: IgnoreRules | undefined) {
    this.#rules = rules
    this.#from = from
    this.#outer = outer
  }

  /** The rules that hold everywhere in the work tree at `root`. */
  static of(root: string): IgnoreRules {
    return new IgnoreRules(readRules(join(root, WEFT_DIRECTORY, 'exclude')), 0, undefined)
  }

  /**
   * The rules for a directory.
   *
   * @param prefix - Its path with a slash behind it, or nothing for the root.
   * @param names - What is in it, in ascending order or not.
   */
  enter(root: string, prefix: string, names: readonly string[]): IgnoreRules {
    const name = RULE_FILES.find((file) => names.includes(file))
    const rules = name === undefined ? undefined : readRules(diskPath(root, prefix + name))
    return rules === undefined ? this : new IgnoreRules(rules, prefix.length, this)
  }

  /** Whether the rules say that a path is ignored; its parents are known not to be. */
  ignores(path: string, isDirectory: boolean): boolean {
    const full = isDirectory ? `${path}/` : path
    for (let level: IgnoreRules | undefined = this; level !== undefined; level = level.#outer) {
      const answer = level.#rules?.test(full.slice(level.#from), 'regex')
      if (answer?.ignored === true) return true
      if (answer?.unignored === true) return false
    }
    return false
  }
}

/** Rules by their text: the same file is in many directories of some trees, and is compiled once. */
const compiled = new Map<string, Rules>()

/** @returns Undefined where there is no such file, or it cannot be read: git goes on without it as well. */
function readRules(at: string | Buffer): Rules | undefined {
  let text: string
  try {
    // A link may lead anywhere; git does not follow it either.
    const stats = lstatSync(at, { throwIfNoEntry: false })
    if (stats?.isFile() !== true || stats.size > MAX_BYTES) return undefined
    text = toLatin1(readFileSync(at))
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).code === 'string') return undefined
    throw error
  }
  let rules = compiled.get(text)
  if (rules === undefined) {
    rules = compile(text)
    compiled.set(text, rules)
  }
  return rules
}

const BYTE_ORDER_MARK = '\xef\xbb\xbf'

function compile(text: string): Rules {
  const lines = text.startsWith(BYTE_ORDER_MARK) ? text.slice(BYTE_ORDER_MARK.length) : text
  const all = ignore({ ignorecase: false, allowRelativePaths: true }).add(lines)
  return (all as unknown as { readonly _rules: Rules })._rules
}
