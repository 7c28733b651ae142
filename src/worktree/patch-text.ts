/**
 * Reading patches: unified diffs, with git's lines about names and modes or without.
 *
 * The `diff` package reads the hunks and says what is malformed about them. Names it takes for UTF-8, and where in the
 * patch a hunk stands it does not tell; so the lines are walked once more beside what it found. A patch is a binary string
 * here, since the lines in it are those of files, in whatever encoding.
 * @module
 */
import { toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { formatPath } from '../repo/path-text.js'

/** Lines of one hunk. Each has its newline, but for the last of a content that has none. Binary strings. */
export interface PatchHunk {
  /** Line of the patch at which it begins, from 1. */
  readonly line: number
  /** Line at which it stands on each side, from 1; of an empty side the line before which it stands. */
  readonly oldStart: number
  readonly newStart: number
  readonly old: readonly string[]
  readonly now: readonly string[]
  /** Lines that both sides share at its beginning and at its end. */
  readonly leading: number
  readonly trailing: number
}

/** What a patch says of one file. Paths are binary strings. */
export interface FilePatch {
  /** Line of the patch at which it begins, from 1. */
  readonly line: number
  /** Undefined for a file that is new. */
  readonly from: string | undefined
  /** Undefined for a file that is deleted. */
  readonly to: string | undefined
  /** Whether the file at `from` stays, too. */
  readonly isCopy: boolean
  /** Whether git wrote it: then both names mean what they say; else one of them may be a backup's. */
  readonly isGit: boolean
  readonly oldMode: number | undefined
  readonly newMode: number | undefined
  /** Whether it only says that contents differ. */
  readonly isBinary: boolean
  readonly hunks: readonly PatchHunk[]
}

type Parsed = ReturnType<typeof import('diff').parsePatch>[number]

/**
 * The files of a patch.
 *
 * @param strip - Parts of names to leave out at their beginning, as `-p` of patch has it.
 * @throws {CodedError} `PATCH_BAD`.
 */
export async function parsePatchText(bytes: Uint8Array, strip = 1): Promise<FilePatch[]> {
  const { parsePatch } = await import('diff')
  // What mail programs' signatures begin with looks like a line taken away; git writes its version behind it.
  const text = toLatin1(bytes).replace(/^-- \n(?=\d+\.\d)/gm, '\n')
  let parsed: Parsed[]
  try {
    parsed = parsePatch(text)
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause)
    throw bad(Number(/ at line (\d+)/.exec(said)?.[1] ?? 1), sentence(said), cause)
  }
  const walk = new LineWalk(text.split('\n'))
  const files = parsed.flatMap((file) => filePatch(walk, file, strip) ?? [])
  if (files.length === 0) throw bad(1, 'There is no change in it.')
  return files
}

/**
 * The patch that takes back what a patch does.
 *
 * @throws {CodedError} `PATCH_BAD` for a patch that copies a file.
 */
export function reversePatch(files: readonly FilePatch[]): FilePatch[] {
  const copy = files.find(({ isCopy }) => isCopy)
  if (copy !== undefined) throw bad(copy.line, 'It copies a file, which cannot be reversed.')
  return files.toReversed().map((file) => ({
    ...file,
    from: file.to,
    to: file.from,
    oldMode: file.newMode,
    newMode: file.oldMode,
    hunks: file.hunks.map((hunk) => ({
      ...hunk,
      oldStart: hunk.newStart,
      newStart: hunk.oldStart,
      old: hunk.now,
      now: hunk.old,
    })),
  }))
}

/** @param line - Of the patch, from 1. */
export function bad(line: number, why: string, cause?: unknown): CodedError {
  return new CodedError('PATCH_BAD', `The patch cannot be read, at line ${line}: ${why}`, {
    hint: 'Nothing was changed. Get the patch anew, as a file and not through a mail program or a page.',
    data: { line },
    cause,
  })
}

/** What the package says, as a sentence of its own. */
function sentence(said: string): string {
  const text = said.replace(/ (?:for|at) hunk at line \d+|[Hh]unk at line \d+ ?/g, ' ').trim()
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`.replace(/ {2,}/g, ' ')
}

const FILE_HEADER = /^(?:---|\+\+\+)\s/
const HUNK_HEADER = /^@@\s/
const DIFF_HEADER = /^(?:diff --git |Index:\s|diff(?: -r \w+)+\s)/
const RULER = /^={67}/

/** Where the files of a patch are in its lines: the same walk as the package's. */
class LineWalk {
  readonly #lines: readonly string[]
  #at = 0

  constructor(lines: readonly string[]) {
    this.#lines = lines
  }

  get line(): number {
    return this.#at + 1
  }

  #peek(pattern: RegExp): boolean {
    return this.#at < this.#lines.length && pattern.test(this.#lines[this.#at] as string)
  }

  /** The lines of a file before its first hunk; what is none of its business included. */
  header(): string[] {
    const start = this.#at
    let hasBegun = false
    for (; this.#at < this.#lines.length && !this.#peek(FILE_HEADER) && !this.#peek(HUNK_HEADER); this.#at++) {
      if (!this.#peek(DIFF_HEADER)) continue
      if (hasBegun) return this.#lines.slice(start, this.#at)
      hasBegun = true
    }
    for (let i = 0; i < 2 && this.#peek(FILE_HEADER); i++) this.#at++
    return this.#lines.slice(start, this.#at)
  }

  /** Goes behind the hunks of a file, and tells at which lines they begin. */
  hunks(hunks: Parsed['hunks']): number[] {
    const starts: number[] = []
    while (this.#at < this.#lines.length) {
      if (this.#peek(DIFF_HEADER) || this.#peek(FILE_HEADER) || this.#peek(RULER)) break
      if (this.#peek(HUNK_HEADER)) {
        starts.push(this.line)
        this.#at += hunks[starts.length - 1]?.lines.length ?? 0
      }
      this.#at++
    }
    return starts
  }
}

/** @returns undefined for text that is about no file, as before the first one. */
function filePatch(walk: LineWalk, parsed: Parsed, strip: number): FilePatch | undefined {
  const first = walk.line
  const head = new Header(walk.header())
  const line = first + head.skipped
  // A git section without hunks ends where the next begins, and nothing is between.
  const starts = parsed.hunks.length > 0 || !head.isGit || head.hasNames ? walk.hunks(parsed.hunks) : []
  if (starts.length !== parsed.hunks.length) throw bad(line, 'Its hunks make no sense.')
  const hunks = parsed.hunks.map((hunk, i) => hunkOf(hunk, starts[i] as number))
  if (!head.isGit && !head.hasNames) {
    if (hunks.length === 0) return undefined
    throw bad(starts[0] as number, 'There is a hunk of no file.')
  }
  if (head.hasNames && hunks.length === 0) throw bad(line, 'There is a file without hunks.')
  const { from, to } = head.names(strip, line)
  return {
    line,
    from: head.isNew ? undefined : from,
    to: head.isDeleted ? undefined : to,
    isCopy: head.isCopy,
    isGit: head.isGit,
    oldMode: head.mode('old mode', 'deleted file mode') ?? head.indexMode,
    newMode: head.mode('new mode', 'new file mode') ?? head.indexMode,
    isBinary: head.isBinary && hunks.length === 0,
    hunks,
  }
}

function hunkOf({ oldStart, newStart, lines }: Parsed['hunks'][number], line: number): PatchHunk {
  if (!(Number.isSafeInteger(oldStart) && Number.isSafeInteger(newStart))) {
    throw bad(line, 'The line says not where the hunk stands.')
  }
  const old: string[] = []
  const now: string[] = []
  let leading = 0
  let trailing = 0
  for (const [i, text] of lines.entries()) {
    const sign = text[0] ?? ' '
    if (sign === '\\') continue
    const whole = text.slice(1) + (lines[i + 1]?.startsWith('\\') === true ? '' : '\n')
    if (sign !== '+') old.push(whole)
    if (sign !== '-') now.push(whole)
    trailing = sign === ' ' ? trailing + 1 : 0
    if (sign === ' ' && trailing === old.length && trailing === now.length) leading = trailing
  }
  return { line, oldStart, newStart, old, now, leading, trailing }
}

const NOWHERE = '/dev/null'

/** The time that diff gives a file that is not there. */
const NEVER = /\t(?:1969-12-31|1970-01-01) /

/** What stands before the hunks of a file. */
class Header {
  readonly #lines: readonly string[]
  /** Lines before its own. */
  readonly skipped: number

  constructor(lines: readonly string[]) {
    const begin = lines.findIndex((line) => DIFF_HEADER.test(line) || FILE_HEADER.test(line))
    this.skipped = Math.max(0, begin)
    // A carriage return at the end is the transport's: git quotes names that have one.
    this.#lines = lines.slice(this.skipped).map((line) => line.replace(/\r$/, ''))
  }

  get isGit(): boolean {
    return this.#lines.some((line) => line.startsWith('diff --git '))
  }

  /** Whether there are the lines with which hunks begin. */
  get hasNames(): boolean {
    return this.#after('--- ') !== undefined && this.#after('+++ ') !== undefined
  }

  get isCopy(): boolean {
    return this.#after('copy from ') !== undefined
  }

  get isBinary(): boolean {
    return this.#lines.some((line) => line.startsWith('Binary files ') || line === 'GIT binary patch')
  }

  get isNew(): boolean {
    return this.#after('new file mode ') !== undefined || isNowhere(this.#after('--- '))
  }

  get isDeleted(): boolean {
    return this.#after('deleted file mode ') !== undefined || isNowhere(this.#after('+++ '))
  }

  mode(...keys: string[]): number | undefined {
    for (const key of keys) {
      const text = this.#after(`${key} `)
      if (text !== undefined) return Number.parseInt(text, 8)
    }
    return undefined
  }

  /** `index 83db48f..bf269f4 100644`: the mode that did not change. */
  get indexMode(): number | undefined {
    const text = /^[0-9a-f]+\.\.[0-9a-f]+ ([0-7]{6})$/.exec(this.#after('index ') ?? '')?.[1]
    return text === undefined ? undefined : Number.parseInt(text, 8)
  }

  #after(prefix: string): string | undefined {
    return this.#lines.find((line) => line.startsWith(prefix))?.slice(prefix.length)
  }

  names(strip: number, line: number): { from: string; to: string } {
    const moved = (word: string): string | undefined => this.#after(`rename ${word} `) ?? this.#after(`copy ${word} `)
    const [from, to] = [moved('from'), moved('to')]
    if (from !== undefined && to !== undefined) {
      const rest = Math.max(0, strip - 1)
      return { from: stripped(unquoted(from), rest, line), to: stripped(unquoted(to), rest, line) }
    }
    const [old, now] = [this.#after('--- '), this.#after('+++ ')]
    if (old !== undefined && now !== undefined) {
      const [a, b] = [nameOf(old), nameOf(now)]
      const known = stripped(b === NOWHERE ? a : b, strip, line)
      return { from: a === NOWHERE ? known : stripped(a, strip, line), to: known }
    }
    return this.#gitNames(strip, line)
  }

  /** Names that only the first line has, where they are the same but for what is stripped. */
  #gitNames(strip: number, line: number): { from: string; to: string } {
    const text = this.#after('diff --git ') ?? ''
    const quoted = /^("(?:[^"\\]|\\.)*"|\S+) ("(?:[^"\\]|\\.)*"|\S+)$/s.exec(text)
    const half = (text.length - 1) / 2
    const pairs = quoted === null ? [[text.slice(0, half), text.slice(half + 1)]] : [[quoted[1], quoted[2]]]
    for (const [a = '', b = ''] of pairs) {
      const [from, to] = [stripped(unquoted(a), strip, line), stripped(unquoted(b), strip, line)]
      if (from === to) return { from, to }
    }
    throw bad(line, 'The line does not tell one name from the other.')
  }
}

function isNowhere(text: string | undefined): boolean {
  return text !== undefined && (nameOf(text) === NOWHERE || NEVER.test(text))
}

/** The name in a `---` or `+++` line: in quotes, or up to a tab. */
function nameOf(text: string): string {
  const quoted = /^"(?:[^"\\]|\\.)*"/s.exec(text)?.[0]
  return quoted === undefined ? (text.split('\t', 1)[0] as string) : unquoted(quoted)
}

const ESCAPED: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** A name out of git's quotes. */
function unquoted(text: string): string {
  const inner = /^"((?:[^"\\]|\\.)*)"$/s.exec(text)?.[1]
  return (
    inner?.replace(/\\(?:([0-7]{3})|(.))/gs, (_, octal?: string, char?: string) =>
      octal === undefined
        ? (ESCAPED[char as string] ?? (char as string))
        : String.fromCharCode(Number.parseInt(octal, 8) & 0xff),
    ) ?? text
  )
}

function stripped(name: string, strip: number, line: number): string {
  let rest = name
  for (let i = 0; i < strip; i++) {
    const slash = /^[^/]*\/+/.exec(rest)
    if (slash === null) {
      throw bad(line, `The name ${formatPath(name)} has no ${strip} parts to leave out; -p says how many.`)
    }
    rest = rest.slice(slash[0].length)
  }
  return rest
}
