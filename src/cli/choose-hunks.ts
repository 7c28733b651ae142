/**
 * Choosing hunks one by one: shows each and asks, in the manner of `git add -p`.
 *
 * Answers are read as lines, so they may come from a terminal, a pipe or a test. The end of the answers means `q`.
 * @module
 */
import { createInterface } from 'node:readline'
import { decodeUtf8Lossy, fromLatin1 } from '../base/bytes.js'
import { sameContent, sameType } from '../repo/changes.js'
import { type ChangedContent, loadFormatter, patchOf } from '../repo/patch.js'
import type { ChosenContent } from '../worktree/commit-changes.js'
import {
  type ChangeRange,
  changesOfContents,
  contentWith,
  type FileChanges,
  rangeAsHunk,
  shownRanges,
  splitRange,
} from '../worktree/hunks.js'
import { formatPlace, patchHead } from './format-diff.js'
import { colourPatch } from './format-version.js'
import type { Style } from './style.js'

/** What was chosen of a file's changes. */
export type Choice =
  | { readonly kind: 'none' }
  | { readonly kind: 'all' }
  /** The content that the chosen hunks give, and whether the new mode was chosen. */
  | { readonly kind: 'part'; readonly content: Uint8Array; readonly mode: boolean }

/** Where questions go and answers come from. */
export interface Dialogue {
  print(text: string): void
  /** The next answer; undefined when there are no more. */
  ask(prompt: string): Promise<string | undefined>
}

/** Lines of a new or deleted file that are shown. */
const SHOWN_LINES = 40

const HELP = `y - take this change
n - leave it
q - leave this and all that follows
a - take this and all that follow in this file
d - leave this and all that follow in this file
j - decide later, go to the next
k - decide later, go back to the one before
s - split it into smaller ones
? - show this help
`

/**
 * Asks about the changes of files, in their order.
 *
 * A file that is new, gone, renamed or not text is taken or left as a whole; what changed in the text of a renamed one
 * can be chosen once the new name is.
 *
 * @param verb - What is done with what is chosen: `Commit`.
 * @returns One choice for each file.
 */
export async function chooseHunks(
  files: readonly ChangedContent[],
  dialogue: Dialogue,
  style: Style,
  verb = 'Commit',
): Promise<Choice[]> {
  const format = await loadFormatter()
  const choices: Choice[] = []
  let over = false
  for (const file of files) {
    if (over) {
      choices.push(NONE)
      continue
    }
    const patch = decodeUtf8Lossy(fromLatin1(patchOf(file, format).text))
    const chooser = new FileChooser(file, patch, dialogue, style, verb)
    choices.push(await chooser.choose())
    over = chooser.over
  }
  return choices
}

const NONE: Choice = { kind: 'none' }
const ALL: Choice = { kind: 'all' }

/** Choices as a commit takes them. Paths are binary strings. */
export interface ChosenChanges {
  /** All paths at which something was chosen. */
  readonly paths: readonly string[]
  readonly contents: ReadonlyMap<string, ChosenContent>
}

/** @param choices - One for each of `files`. */
export function chosenChanges(files: readonly ChangedContent[], choices: readonly Choice[]): ChosenChanges {
  const paths: string[] = []
  const contents = new Map<string, ChosenContent>()
  for (const [i, { before, after }] of files.entries()) {
    const choice = choices[i] ?? NONE
    if (choice.kind === 'none') continue
    paths.push(...new Set([before, after].flatMap((side) => side?.path ?? [])))
    if (choice.kind === 'all' || after === undefined) continue
    contents.set(after.path, { bytes: choice.content, keepsMode: !choice.mode })
  }
  return { paths, contents }
}

/** A thing to decide: a range of changes, or what is not text about the file. */
interface Item {
  readonly range: ChangeRange | undefined
  readonly question: string
  taken: boolean | undefined
}

class FileChooser {
  /** Whether the user has had enough. */
  over = false
  readonly #file: ChangedContent
  readonly #patch: string
  readonly #dialogue: Dialogue
  readonly #style: Style
  readonly #verb: string
  readonly #changes: FileChanges | undefined
  readonly #items: Item[]

  constructor(file: ChangedContent, patch: string, dialogue: Dialogue, style: Style, verb: string) {
    this.#file = file
    this.#patch = patch
    this.#dialogue = dialogue
    this.#style = style
    this.#verb = verb
    this.#changes = textChanges(file, patch)
    this.#items = this.#begin()
  }

  async choose(): Promise<Choice> {
    this.#show(this.#changes === undefined ? cut(this.#patch) : patchHead(this.#patch))
    const items = this.#items
    for (let at = 0; at >= 0 && !this.over; at = await this.#decide(at));
    if (items.every(({ taken }) => taken === true)) return ALL
    if (this.#changes === undefined || items.every(({ taken }) => taken !== true)) return NONE
    const [head] = items
    const own = head?.range === undefined ? head : undefined
    // Under its old name a file cannot have part of the new content.
    if (own !== undefined && own.taken !== true && isRenamed(this.#file)) return NONE
    const chosen = new Set<number>()
    for (const { range, taken } of items) {
      if (range !== undefined && taken === true) for (let i = range.first; i < range.end; i++) chosen.add(i)
    }
    return { kind: 'part', content: contentWith(this.#changes, (i) => chosen.has(i)), mode: own?.taken ?? false }
  }

  #begin(): Item[] {
    const { before, after } = this.#file
    const whole = (what: string): Item => ({ range: undefined, question: `${this.#verb} ${what}`, taken: undefined })
    if (before === undefined) return [whole('this new file')]
    if (after === undefined) return [whole('this deletion')]
    if (this.#changes === undefined) return [whole(isRenamed(this.#file) ? 'this renaming' : 'this change')]
    const ranges = shownRanges(this.#changes).map((range) => this.#item(range))
    if (isRenamed(this.#file)) return [whole('this renaming'), ...ranges]
    return (before.entry.mode ^ after.entry.mode) & 0o100 ? [whole('the new mode'), ...ranges] : ranges
  }

  #item(range: ChangeRange): Item {
    return { range, question: `${this.#verb} this change`, taken: undefined }
  }

  /** Asks about one item and says which is next, -1 when all is decided. */
  async #decide(at: number): Promise<number> {
    const items = this.#items
    const item = items[at] as Item
    if (item.range !== undefined) this.#showRange(item.range)
    for (;;) {
      const { range } = item
      const open = items.some((other) => other !== item && other.taken === undefined)
      const splits = range !== undefined && range.end - range.first > 1
      const keys = `y,n,q,a,d${open ? ',j,k' : ''}${splits ? ',s' : ''},?`
      const place = items.length > 1 ? `(${at + 1}/${items.length}) ` : ''
      const answer = await this.#dialogue.ask(this.#style.bold(`${place}${item.question} [${keys}]? `))
      switch (answer?.trim().toLowerCase() ?? 'q') {
        case 'y':
          item.taken = true
          return this.#next(at, 1)
        case 'n':
          item.taken = false
          if (range === undefined && isRenamed(this.#file)) this.#rest(0, false)
          return this.#next(at, 1)
        case 'q':
          this.over = true
          return -1
        case 'a':
          this.#rest(at, true)
          return this.#next(at, 1)
        case 'd':
          this.#rest(at, false)
          return this.#next(at, 1)
        case 'j':
          if (open) return this.#next(at, 1)
          break
        case 'k':
          if (open) return this.#next(at, -1)
          break
        case 's':
          if (!splits) break
          items.splice(at, 1, ...splitRange(range).map((part) => this.#item(part)))
          this.#dialogue.print(`Split into ${range.end - range.first} changes.\n`)
          return at
      }
      this.#dialogue.print(HELP)
    }
  }

  /** Decides about all from `at` on that are not decided. */
  #rest(at: number, taken: boolean): void {
    for (const item of this.#items.slice(at)) item.taken ??= taken
  }

  /** The nearest item from `at` on, in either direction and round, that is not decided; -1 where all are. */
  #next(at: number, step: number): number {
    const { length } = this.#items
    for (let i = 1; i <= length; i++) {
      const next = (at + step * i + length * i) % length
      if (this.#items[next]?.taken === undefined) return next
    }
    return -1
  }

  #showRange(range: ChangeRange): void {
    const hunk = this.#changes === undefined ? undefined : rangeAsHunk(this.#changes, range)
    if (hunk === undefined) return
    this.#show(`${formatPlace(hunk)}\n${hunk.lines.map((line) => `${decodeUtf8Lossy(fromLatin1(line))}\n`).join('')}`)
  }

  #show(text: string): void {
    this.#dialogue.print(colourPatch(this.#style.safe(text), this.#style))
  }
}

/** The changes of a text that can be chosen one by one; undefined where it is all or nothing. */
function textChanges({ before, after, old, now }: ChangedContent, patch: string): FileChanges | undefined {
  if (before === undefined || after === undefined || old === undefined || now === undefined) return undefined
  if (sameContent(before, after) || !sameType(before, after) || !/^@@ /m.test(patch)) return undefined
  return changesOfContents(old, now)
}

function isRenamed({ before, after }: ChangedContent): boolean {
  return before !== undefined && after !== undefined && before.path !== after.path
}

function cut(patch: string): string {
  const lines = patch.split('\n')
  if (lines.length <= SHOWN_LINES + 1) return patch
  return `${lines.slice(0, SHOWN_LINES).join('\n')}\n... and ${lines.length - SHOWN_LINES - 1} more lines\n`
}

/**
 * A dialogue over the standard streams; `close` it when all is asked.
 *
 * @param out - Where questions go: not to stdout where that is for an answer in JSON.
 */
export function openDialogue(out: NodeJS.WritableStream = process.stdout): Dialogue & { close(): void } {
  const lines = createInterface({ input: process.stdin })
  const answers = lines[Symbol.asyncIterator]()
  return {
    print: (text) => void out.write(text),
    ask: async (prompt) => {
      out.write(prompt)
      const { done, value } = await answers.next()
      // What is not typed at a terminal is not seen there: the next text would stand behind the question.
      if (process.stdin.isTTY !== true) out.write('\n')
      return done === true ? undefined : value
    },
    close: () => lines.close(),
  }
}
