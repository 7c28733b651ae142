/**
 * Applying patches: from what files hold to what they shall hold, whole or not at all.
 *
 * Pure but for the function that reads a file: nothing is written here. All files of a patch of git's are about one moment:
 * a file that is renamed is taken as it was before, so that two may change their names. Anything else goes on from what
 * the patch did before, so that several patches in a row can be one.
 * @module
 */
import { fromLatin1, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { kindOf } from '../repo/mode.js'
import { formatPath } from '../repo/path-text.js'
import { unsafeReason } from '../repo/safe-path.js'
import { type PlacedHunk, placeHunks } from './patch-place.js'
import type { FilePatch, PatchHunk } from './patch-text.js'

/** A file or link: the content of a link is its target. */
export interface PatchFile {
  readonly mode: number
  readonly bytes: Uint8Array
}

/** What a patch makes of a path (a binary string). */
export interface PatchedPath {
  readonly path: string
  readonly before: PatchFile | undefined
  readonly after: PatchFile | undefined
  /** Where the file was before, where the patch renames it. */
  readonly from?: string
}

/** What a patch comes to. */
export interface PatchOutcome {
  /** Paths that are other than before, in ascending order. */
  readonly paths: readonly PatchedPath[]
  /** Hunks that were placed elsewhere than they say. */
  readonly moved: readonly (PlacedHunk & { readonly path: string })[]
}

/** A part of a patch that could not be applied. */
interface Rejection {
  readonly path: string
  /** Line of the patch, from 1. */
  readonly line: number
  readonly hunk?: number
  readonly reason: string
}

/**
 * What files hold once the patch is applied.
 *
 * @param read - What stands at a path; undefined where there is nothing.
 * @throws {CodedError} `PATCH_REJECTED`, `PATH_UNSAFE`.
 */
export function applyPatch(files: readonly FilePatch[], read: (path: string) => PatchFile | undefined): PatchOutcome {
  const application = new Application(files, read)
  for (const file of files) application.add(file)
  return application.finish()
}

const REGULAR = 0o100644

class Application {
  readonly #read: (path: string) => PatchFile | undefined
  readonly #before = new Map<string, PatchFile | undefined>()
  readonly #after = new Map<string, PatchFile | undefined>()
  /** Paths that the patch will have taken away in the end, or given something else. */
  readonly #leaving: ReadonlySet<string>
  readonly #renames = new Map<string, string>()
  /** Paths whose files the patch changed where they are, and those at which it put others. */
  readonly #inPlace = new Set<string>()
  readonly #targets = new Set<string>()
  readonly #moved: (PlacedHunk & { path: string })[] = []
  readonly #rejections: Rejection[] = []

  constructor(files: readonly FilePatch[], read: (path: string) => PatchFile | undefined) {
    this.#read = read
    const gone = files.filter(({ from, to, isCopy }) => !isCopy && from !== undefined && from !== to)
    this.#leaving = new Set(gone.flatMap(({ from }) => from ?? []))
  }

  add(file: FilePatch): void {
    for (const path of [file.from, file.to]) if (path !== undefined) assertSafe(path)
    const reason = this.#attempt(file)
    if (reason === undefined) return
    this.#rejections.push({ path: formatPath(file.to ?? file.from ?? ''), line: file.line, reason })
  }

  /** @returns Why a file as a whole cannot be had; what is wrong with hunks is noted. */
  #attempt(file: FilePatch): string | undefined {
    if (file.isBinary) return 'the patch only says that its content differs'
    const isMove = file.from !== undefined && file.to !== undefined && file.from !== file.to && file.isGit
    const from = isMove ? file.from : this.#sourceOf(file)
    const to = isMove || from === undefined ? file.to : file.to && from
    const source = from === undefined ? undefined : isMove ? this.#moveSource(from) : this.#current(from)
    if (from !== undefined && source === undefined) return 'it is not there'
    if (to !== undefined && to !== from && this.#isTaken(to)) return 'there is one already'
    const reason = source && kindReason(file, source)
    if (reason !== undefined) return reason
    const lines = this.#place(file, source)
    if (lines === undefined) return undefined
    if (to === undefined && lines.length > 0) return 'it has lines that the patch does not take away'
    const bare = lines.findIndex((line) => !line.endsWith('\n'))
    if (bare >= 0 && bare < lines.length - 1) return 'it would have a line without an end before others'
    this.#put(file, from, to, source, fromLatin1(lines.join('')))
    return undefined
  }

  finish(): PatchOutcome {
    const [first] = this.#rejections
    if (first !== undefined) throw rejected(first, this.#rejections)
    const paths = [...this.#after.keys()].sort().flatMap((path): PatchedPath | [] => {
      const [before, after] = [this.#original(path), this.#after.get(path)]
      if (before === after || (before && after && isSame(before, after))) return []
      const from = this.#renames.get(path)
      return { path, before, after, ...(from !== undefined && { from }) }
    })
    return { paths, moved: this.#moved }
  }

  #original(path: string): PatchFile | undefined {
    if (!this.#before.has(path)) this.#before.set(path, this.#read(path))
    return this.#before.get(path)
  }

  #current(path: string): PatchFile | undefined {
    return this.#after.has(path) ? this.#after.get(path) : this.#original(path)
  }

  #isTaken(path: string): boolean {
    if (this.#current(path) === undefined) return false
    return this.#after.has(path) || !this.#leaving.has(path)
  }

  /** The path of the file to change: of two names that a patch not of git's has, the one that there is. */
  #sourceOf({ from, to, isGit, hunks }: FilePatch): string | undefined {
    if (isGit || from === undefined || to === undefined || from === to) return from
    if (this.#current(to) !== undefined) return to
    // Without names for what is not there, a file that is new has no lines on its old side.
    return this.#current(from) === undefined && hunks[0]?.old.length === 0 ? undefined : from
  }

  /** A file that is renamed is taken as it was before the patch, unless a patch before this one changed it. */
  #moveSource(path: string): PatchFile | undefined {
    return this.#inPlace.has(path) ? this.#current(path) : (this.#original(path) ?? this.#current(path))
  }

  /** The lines of a file when its hunks are in place; undefined where one of them is rejected. */
  #place(file: FilePatch, source: PatchFile | undefined): readonly string[] | undefined {
    const lines = linesOf(source === undefined ? '' : toLatin1(source.bytes))
    const { hunks } = file
    const placing = placeHunks(lines, hunks)
    const path = formatPath(file.to ?? file.from ?? '')
    for (const one of placing.moved) this.#moved.push({ path, ...one })
    if (placing.rejected.length === 0) return placing.lines
    const isDone = placeHunks(lines, hunks.map(turned)).rejected.length === 0
    for (const { hunk, lines: places } of placing.rejected) {
      const reason = isDone ? APPLIED : reasonOf(places)
      this.#rejections.push({ path, line: (hunks[hunk - 1] as PatchHunk).line, hunk, reason })
    }
    return undefined
  }

  #put(
    { newMode, isCopy }: FilePatch,
    from: string | undefined,
    to: string | undefined,
    source: PatchFile | undefined,
    bytes: Uint8Array,
  ): void {
    if (from !== undefined && from !== to && !isCopy) {
      // Two files that change their names: there is the other one by now.
      const isReplaced = this.#targets.has(from) && source === this.#original(from)
      if (!isReplaced) this.#after.set(from, undefined)
    }
    if (to === undefined) return
    this.#after.set(to, { mode: modeAfter(source?.mode, newMode), bytes })
    if (from === to) this.#inPlace.add(to)
    else this.#targets.add(to)
    if (from !== undefined && from !== to && !isCopy) this.#renames.set(to, from)
  }
}

/** Why a patch is not for what there is. */
function kindReason({ oldMode }: FilePatch, { mode }: PatchFile): string | undefined {
  const [is, said] = [kindOf(mode), oldMode === undefined ? undefined : kindOf(oldMode)]
  if (is === 'submodule' || said === 'submodule') return 'it is a submodule'
  if (said === undefined || (is === 'symlink') === (said === 'symlink')) return undefined
  return is === 'symlink' ? 'it is a symbolic link' : 'it is no symbolic link'
}

/** A kind is what the patch says, and else stays: a mode that is odd is not made even. */
function modeAfter(before: number | undefined, said: number | undefined): number {
  if (said === undefined) return before ?? REGULAR
  return before !== undefined && kindOf(before) === kindOf(said) ? before : said
}

function turned(hunk: PatchHunk): PatchHunk {
  return { ...hunk, oldStart: hunk.newStart, newStart: hunk.oldStart, old: hunk.now, now: hunk.old }
}

/** Lines with their newlines. */
function linesOf(text: string): string[] {
  const lines = text.split('\n')
  const last = lines.pop() as string
  const whole = lines.map((line) => `${line}\n`)
  return last === '' ? whole : [...whole, last]
}

function isSame(a: PatchFile, b: PatchFile): boolean {
  return a.mode === b.mode && Buffer.compare(a.bytes, b.bytes) === 0
}

const APPLIED = 'it seems to be applied already'

const SHOWN_PLACES = 4

function reasonOf(places: readonly number[]): string {
  if (places.length === 0) return 'its lines are not in the file'
  const shown = places.slice(0, SHOWN_PLACES).join(', ')
  return `it fits in ${places.length} places, at lines ${shown}${places.length > SHOWN_PLACES ? ', ...' : ''}`
}

function assertSafe(path: string): void {
  const reason = unsafeReason(path, process.platform)
  if (reason === undefined) return
  throw new CodedError('PATH_UNSAFE', `The path ${formatPath(path)} is not safe to write: ${reason}.`, {
    hint: 'Nothing was changed.',
    data: { path: formatPath(path) },
  })
}

function rejected({ path, hunk, line, reason }: Rejection, all: readonly Rejection[]): CodedError {
  const what = hunk === undefined ? path : `Hunk ${hunk} of ${path}`
  const others = all.length === 1 ? '' : ` So do ${all.length - 1} other parts of the patch.`
  return new CodedError('PATCH_REJECTED', `${what} (line ${line} of the patch) does not fit: ${reason}.${others}`, {
    hint:
      reason === APPLIED
        ? 'Nothing was changed. --reverse takes a patch back.'
        : 'Nothing was changed. A patch with more lines around its changes (weft diff -U 10) is easier to place.',
    data: { rejected: all },
  })
}
