/**
 * The conflicts that are open in a work tree.
 * @module
 */
import { fromHex, toHex } from '../base/bytes.js'
import { type Conflict, decodeConflicts, encodeConflicts } from '../history/conflict.js'
import { extraOf } from '../history/extra.js'
import type { Version } from '../history/header.js'
import { CONFLICTS_EXTRA } from '../history/note.js'
import { formatPath } from '../repo/path-text.js'
import type { Repository } from '../repo/repository.js'
import type { WorkIndex } from './index-file.js'
import type { OpenConflicts, WorkState } from './state.js'
import type { Worktree } from './worktree.js'

/** The conflicts that are open. */
export function openConflicts({ conflicts }: WorkState): Conflict[] {
  return conflicts === undefined ? [] : decodeConflicts(fromHex(conflicts.data) as Uint8Array)
}

/** The state with other conflicts; with none of them nothing is open. */
export function withConflicts(state: WorkState, open: OpenConflicts, conflicts: readonly Conflict[]): WorkState {
  const { conflicts: _, ...rest } = state
  if (conflicts.length === 0) return rest
  return { ...rest, conflicts: { ...open, data: toHex(encodeConflicts(conflicts)) } }
}

/** The conflicts that a version was committed with, as the state of a work tree that is given its files. */
export async function conflictsOf(
  repo: Repository,
  version: Version,
  index: WorkIndex,
): Promise<OpenConflicts | undefined> {
  const data = extraOf(await repo.versions.note(version), CONFLICTS_EXTRA)
  const [left, right] = version.parents
  if (data === undefined || left === undefined) return undefined
  const texts: Record<string, string> = {}
  for (const { path } of decodeConflicts(data)) {
    const tracked = index.get(path)
    if (tracked !== undefined) texts[formatPath(path)] = toHex(tracked.sha256)
  }
  return { data: toHex(data), texts, left: toHex(left.id), right: toHex((right ?? left).id) }
}

/** What is under way once the work tree stands on the version of an index: the conflicts that it was committed with. */
export async function standingState({ repo, state }: Worktree, index: WorkIndex): Promise<WorkState> {
  const { conflicts: _, ...rest } = state
  const version = index.base && (await repo.versions.expect(index.base))
  const conflicts = version && (await conflictsOf(repo, version, index))
  return conflicts === undefined ? rest : { ...rest, conflicts }
}
