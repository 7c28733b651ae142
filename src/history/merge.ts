/**
 * Merging two states: what the merged tree is, relative to the left one, and what could not be decided.
 *
 * Only paths that differ between the two states are looked at, and lines only of files that both sides changed; nothing is
 * linear in the history. Nothing is written: the answer is plain data, for whoever commits it or shows it.
 *
 *     merge-base.ts    what both have in common
 *     merge-paths.ts   paths that differ, in one pass
 *     merge-cases.ts   files: which paths of the three belong together
 *     merge-renames.ts files that were moved without anybody saying so
 *     merge-file.ts    path, mode and content of one file
 *     merge-lines.ts   lines of a file that both changed
 *     merge-strays.ts  new files in directories that went away
 *     merge-places.ts  what stands where in the end
 *
 * @module
 */
import type { EntryStore } from '../lseq/entries.js'
import type { Vector } from '../lseq/vector.js'
import { commonPast } from './merge-base.js'
import { casesOf, type FileCase, type SideName } from './merge-cases.js'
import { type Decision, decide } from './merge-file.js'
import { type FileMerge, type LinesContext, mergeText, type SideNames } from './merge-lines.js'
import type { MergeOutcome, TakenContent } from './merge-outcome.js'
import { differingPaths } from './merge-paths.js'
import { type MergedFile, Places } from './merge-places.js'
import { findRenames } from './merge-renames.js'
import { straysOf } from './merge-strays.js'
import type { Versions } from './versions.js'

export type { SideNames } from './merge-lines.js'
export type { MergeOutcome } from './merge-outcome.js'

/** What merging reads. */
export interface MergeContext {
  readonly entries: EntryStore
  readonly versions: Versions
}

/** Merges the state `right` into the state `left`. */
export async function mergeStates(
  context: MergeContext,
  left: Vector,
  right: Vector,
  names: SideNames = { left: 'left', right: 'right' },
): Promise<MergeOutcome> {
  if (left.includes(right)) return { kind: 'already', bases: [right], paths: [], conflicts: [], near: [] }
  const isForward = right.includes(left)
  const bases = isForward ? [left] : await commonPast(context.versions, left, right)
  const merged = await mergeFrom(context, bases, { left, right, isCommon: true }, names)
  return { kind: isForward ? 'fast-forward' : 'merge', bases, ...merged }
}

/**
 * Makes the change from one state to another on top of a third: what picks a version (from its parent to itself), or takes
 * one back (from itself to its parent). In what comes out the third state is the left side, `to` the right one.
 */
export async function applyChange(
  context: MergeContext,
  left: Vector,
  { from, to }: { readonly from: Vector; readonly to: Vector },
  names: SideNames,
): Promise<MergeOutcome> {
  const merged = await mergeFrom(context, [from], { left, right: to, isCommon: false }, names)
  return { kind: 'merge', bases: [from], ...merged }
}

async function mergeFrom(
  { entries, versions }: MergeContext,
  bases: readonly Vector[],
  sides: Pick<LinesContext, 'left' | 'right' | 'isCommon'>,
  names: SideNames,
): Promise<Pick<MergeOutcome, 'paths' | 'conflicts' | 'near'>> {
  const { streams } = versions
  const context = { entries, streams, base: bases[0] as Vector, ...sides }
  const paths = await differingPaths(entries, streams, sides.left, sides.right, bases)
  const files: MergedFile[] = []
  const texts = new Map<MergedFile, FileMerge>()
  const cases = await findRenames(context, casesOf(paths))
  for (const one of cases) {
    const decision = decide(one)
    if (decision === undefined) continue
    const { file, text } = await fileOf(context, one, decision)
    files.push(file)
    if (text !== undefined) texts.set(file, text)
  }
  const finished = await finishTexts(versions, texts, names)
  const places = new Places(paths, names, await straysOf(context, cases))
  for (const file of files) places.add(finished.get(file) ?? file)
  return places.finish()
}

async function fileOf(
  context: LinesContext,
  one: FileCase,
  decision: Decision,
): Promise<{ file: MergedFile; text: FileMerge | undefined }> {
  const { path, mode, file, content, conflicts: kinds } = decision
  const made = { case: one, path, mode, file, conflicts: kinds.map((kind) => ({ kind, regions: [] })), near: [] }
  if (content !== 'text') return { file: { ...made, content: taken(one, content) }, text: undefined }
  const text = await mergeText(context, one)
  const side = text.isOf
  const whole = side === undefined ? NOTHING : taken(one, side)
  return { file: { ...made, content: whole }, text }
}

const NOTHING = new Uint8Array(0)

function taken(one: FileCase, from: SideName): TakenContent {
  const put = one[from]
  if (put === undefined) throw new TypeError(`content: expected the ${from} side to have the file`)
  return { from, put }
}

/** Writes the texts, once it is known who had a part in their regions. */
async function finishTexts(
  versions: Versions,
  texts: ReadonlyMap<MergedFile, FileMerge>,
  names: SideNames,
): Promise<Map<MergedFile, MergedFile>> {
  const holders = await versions.holding([...texts.values()].flatMap(({ lseqs }) => lseqs))
  const finished = new Map<MergedFile, MergedFile>()
  for (const [file, text] of texts) {
    const { bytes, conflicts: regions, near } = text.finish(names, holders)
    const content = text.isOf === undefined ? bytes : file.content
    const isAdded = file.conflicts.some(({ kind }) => kind === 'add/add')
    const conflicts = isAdded
      ? file.conflicts.map((one) => (one.kind === 'add/add' ? { ...one, regions } : one))
      : [...file.conflicts, ...(regions.length > 0 ? [{ kind: 'content' as const, regions }] : [])]
    finished.set(file, { ...file, content, conflicts, near })
  }
  return finished
}
