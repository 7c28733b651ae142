/**
 * Following the current branch where it has gone on by itself, as it does when versions come from elsewhere: the files
 * become those of its head, with unsaved changes carried along.
 * @module
 */
import { CodedError } from '../base/error.js'
import { noteHeads } from '../repo/heads-note.js'
import type { Failure } from './apply.js'
import { WorkIndex } from './index-file.js'
import { planMove } from './move-tree.js'
import { standingState } from './open-conflicts.js'
import { rebuildIndex } from './rebuild.js'
import type { Worktree } from './worktree.js'

/** Where the work tree stands after all that came. */
export interface FollowReport {
  readonly branch?: string
  /** Hex id of the version that the files are of. */
  readonly version?: string
  /** Whether the files were brought to another version. */
  readonly moved: boolean
  /** Files written or removed. */
  readonly files: number
  /** Unsaved changes that were carried along. */
  readonly carried: readonly string[]
  readonly failures: readonly Failure[]
  /** Hex ids of heads of the branch that the files are not of: `weft merge` joins them. */
  readonly otherHeads: readonly string[]
  /** Why the files are not those of the branch's one head, where they could have been. */
  readonly held?: { readonly code: string; readonly message: string }
}

/**
 * Brings the files to the branch's head where that has all that the work tree stands on; where there are several heads, or
 * unsaved changes would be lost, they stay as they are.
 */
export async function follow(work: Worktree, command: string): Promise<FollowReport> {
  const { repo } = work
  const { newer, other } = await noteHeads(repo)
  const stays = { ...standing(work), moved: false, files: 0, carried: [], failures: [] }
  // Where no files were ever written nobody wants them.
  if (work.head.version === undefined && WorkIndex.read(work.root) === undefined) return { ...stays, otherHeads: [] }
  const [target, ...more] = newer
  if (target === undefined || more.length > 0) return { ...stays, otherHeads: [...newer, ...other] }
  try {
    work.assertNothingUnderWay('updating the files')
    const { files, carried, failures } = await move(work, target, command)
    return { ...standing(work), moved: true, files, carried, failures, otherHeads: (await noteHeads(repo)).other }
  } catch (error) {
    // What came is safe in the store; only the files have to wait.
    if (!(error instanceof CodedError && error.blame === 'user')) throw error
    const { code, message } = error
    return { ...stays, otherHeads: [...newer, ...other], held: { code, message } }
  }
}

async function move(
  work: Worktree,
  target: string,
  command: string,
): Promise<Pick<FollowReport, 'files' | 'carried' | 'failures'>> {
  const { branch } = work.head
  const index = await rebuildIndex(work.repo, target, work.index)
  const { files, carried } = planMove(work, index)
  const { record, failures } = await work.perform({
    command,
    summary: `brought the files of ${branch} to ${target.slice(0, 12)}`,
    files,
    head: { branch, version: target },
    index,
    state: await standingState(work, index),
  })
  return { files: record.files.length, carried, failures }
}

function standing({ head: { branch, version } }: Worktree): Pick<FollowReport, 'branch' | 'version'> {
  return { ...(branch === undefined ? {} : { branch }), ...(version === undefined ? {} : { version }) }
}
