/**
 * Resolve: conflicts are settled, by hand or by taking a side.
 *
 * A conflict of lines is looked for by its very text, markers included, which is known from when it was written; what is
 * not found any more has been settled by hand. All other conflicts are about whole files.
 * @module
 */
import { fromLatin1, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import type { Conflict, Region, Stage } from '../history/conflict.js'
import { lineStarts } from '../lines/split.js'
import { formatLseq } from '../lseq/lseq.js'
import { type ConflictInfo, conflictInfo } from '../repo/conflict-text.js'
import { formatPath } from '../repo/path-text.js'
import type { Failure } from './apply.js'
import { keptContent } from './kept.js'
import { openConflicts, withConflicts } from './open-conflicts.js'
import { type FileMove, type FileTarget, storedContent } from './operation.js'
import type { OpenConflicts, WorkState } from './state.js'
import { readWorkFile } from './work-files.js'
import type { Worktree } from './worktree.js'

/** Which side to take; by default what is in the work tree is the answer. */
export type Take = 'ours' | 'theirs' | 'union'

export interface ResolveOptions {
  /** Files and directories, binary strings; all where there are none. */
  readonly paths?: readonly string[] | undefined
  readonly take?: Take | undefined
  /** Call a file resolved although there are markers in it. */
  readonly force?: boolean | undefined
}

export interface ResolveReport {
  /** Paths whose conflicts are settled. */
  readonly resolved: readonly string[]
  /** Conflicts that are left. */
  readonly left: readonly ConflictInfo[]
  readonly failures: readonly Failure[]
}

/** The conflicts that are open. */
export function listConflicts({ state }: Pick<Worktree, 'state'>): ConflictInfo[] {
  return openConflicts(state).map(conflictInfo)
}

/**
 * Settles conflicts.
 *
 * @throws {CodedError} `NO_CONFLICTS`, `MARKERS_LEFT`, `PATH_UNKNOWN`.
 */
export async function resolveConflicts(work: Worktree, options: ResolveOptions): Promise<ResolveReport> {
  const { state } = work
  const open = state.conflicts
  const all = openConflicts(state)
  if (open === undefined) {
    throw new CodedError('NO_CONFLICTS', 'There are no conflicts here.', { hint: '`weft status` shows what there is.' })
  }
  const chosen = chosenConflicts(all, options.paths)
  const moves = options.take === undefined ? [] : await takeSide(work, open, chosen, options.take)
  if (options.take === undefined && options.force !== true) await assertNoMarkers(work, open, chosen)
  const left = all.filter((conflict) => !chosen.includes(conflict))
  const resolved = [...new Set(chosen.map(({ path }) => formatPath(path)))]
  const { failures } = await work.perform({
    command: 'resolve',
    summary: `${resolved.join(', ')}${options.take === undefined ? '' : ` with ${options.take}`}`,
    files: moves,
    state: placed(withConflicts(state, open, left), chosen, options.take),
  })
  return { resolved, left: left.map(conflictInfo), failures }
}

function chosenConflicts(all: readonly Conflict[], paths: readonly string[] = []): Conflict[] {
  if (paths.length === 0) return [...all]
  return paths.flatMap((wanted) => {
    const found = all.filter(({ path, left, right }) =>
      [path, left?.path, right?.path].some(
        (at) => wanted === '' || at === wanted || at?.startsWith(`${wanted}/`) === true,
      ),
    )
    if (found.length > 0) return found
    throw new CodedError('PATH_UNKNOWN', `There is no conflict at ${formatPath(wanted)}.`, {
      hint: '`weft resolve --list` shows where there are.',
    })
  })
}

/** The whole text of a region, markers included, as it was written. */
function blockOf(text: string, starts: Uint32Array, { markers }: Region): string | undefined {
  return markers && text.slice(starts[markers.start - 1], starts[markers.end])
}

async function markedText({ root, repo }: Worktree, open: OpenConflicts, path: string): Promise<string | undefined> {
  const sha256 = open.texts[formatPath(path)]
  if (sha256 === undefined) return undefined
  try {
    return toLatin1(keptContent(root, sha256))
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'CONTENT_UNKNOWN') throw error
    // Committed with its conflicts, perhaps on another replica: then a version has it.
    return toLatin1(await repo.content(sha256))
  }
}

async function assertNoMarkers(work: Worktree, open: OpenConflicts, conflicts: readonly Conflict[]): Promise<void> {
  const marked: string[] = []
  for (const { path, regions } of conflicts) {
    const now = readWorkFile(work.root, path)
    const text = regions.length > 0 && now !== undefined ? await markedText(work, open, path) : undefined
    if (text === undefined || now === undefined) continue
    const starts = lineStarts(fromLatin1(text))
    const markers = regions.flatMap(({ markers: lines }) => (lines ? [lines.start, lines.end] : []))
    const lines = new Set(markers.map((line) => text.slice(starts[line - 1], starts[line])))
    if (
      toLatin1(now.bytes)
        .split(/(?<=\n)/)
        .some((line) => lines.has(line))
    )
      marked.push(formatPath(path))
  }
  if (marked.length === 0) return
  throw new CodedError('MARKERS_LEFT', `There are conflict markers left in ${marked.slice(0, 5).join(', ')}.`, {
    hint: 'Edit the file, or take a side with --ours, --theirs or --union. --force says that it is meant so.',
    data: { paths: marked },
  })
}

/** What taking a side makes of files. */
async function takeSide(
  work: Worktree,
  open: OpenConflicts,
  conflicts: readonly Conflict[],
  take: Take,
): Promise<FileMove[]> {
  const moves = new Map<string, FileMove>()
  for (const conflict of conflicts) {
    const move =
      conflict.regions.length > 0 ? await takeLines(work, open, conflict, take) : takeFile(open, conflict, take)
    for (const one of move) moves.set(one.path, one)
  }
  return [...moves.values()]
}

async function takeLines(work: Worktree, open: OpenConflicts, conflict: Conflict, take: Take): Promise<FileMove[]> {
  const { path, regions } = conflict
  const now = readWorkFile(work.root, path)
  const text = await markedText(work, open, path)
  if (now === undefined || text === undefined) return []
  const starts = lineStarts(fromLatin1(text))
  let after = toLatin1(now.bytes)
  for (const region of regions) {
    const block = blockOf(text, starts, region)
    const at = block === undefined ? -1 : after.indexOf(block)
    if (block === undefined || at < 0) continue
    after = after.slice(0, at) + sideText(region, take) + after.slice(at + block.length)
  }
  const bytes = fromLatin1(after)
  return [{ path, to: { mode: now.mode, sha256: crypto.sha256Hex(bytes), bytes } }]
}

function sideText({ left, right }: Region, take: Take): string {
  if (take === 'ours') return left.text
  if (take === 'theirs') return right.text
  const isCut = left.text !== '' && !left.text.endsWith('\n')
  return `${left.text}${isCut ? '\n' : ''}${right.text}`
}

/** A conflict about a whole file: the side's file, at the side's path. */
function takeFile(open: OpenConflicts, { path, left, right }: Conflict, take: Take): FileMove[] {
  if (take === 'union') {
    throw new CodedError('USAGE', `${formatPath(path)} is not a conflict of lines: there is no union of it.`, {
      hint: 'Take --ours or --theirs.',
    })
  }
  const stage = take === 'ours' ? left : right
  const moves: FileMove[] = []
  if (stage?.path !== path) moves.push({ path, to: undefined })
  if (stage !== undefined)
    moves.push({ path: stage.path, to: targetOf(stage, take === 'ours' ? open.left : open.right) })
  return moves
}

function targetOf(stage: Stage, at: string): FileTarget {
  return { mode: stage.mode, sha256: stage.sha256, stored: storedContent(stage, at) }
}

/** Which files go on at new paths, after sides were taken. */
function placed(state: WorkState, conflicts: readonly Conflict[], take: Take | undefined): WorkState {
  if (take === undefined || take === 'union') return state
  const files: Record<string, string> = { ...state.files }
  for (const { regions, left, right } of conflicts) {
    const stage = take === 'ours' ? left : right
    if (regions.length > 0 || stage === undefined) continue
    files[formatPath(stage.path)] = formatLseq(stage.file.seq, stage.file.stream)
  }
  return { ...state, files }
}
