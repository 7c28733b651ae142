/**
 * The library: all that the commands do, for programs. `import { Repository } from 'weft-vcs'`.
 *
 * It never touches arguments, environment, standard streams or the exit status, and takes the directory of the user's
 * settings as a value.
 * @module
 */
export { type Blame as ErrorBlame, CODES, type Code, CodedError } from './base/error.js'
export { exportGit } from './git/export.js'
export { importGit } from './git/import.js'
export { type Archive, type ArchiveOptions, makeArchive } from './repo/archive.js'
export { ARCHIVE_FORMATS, type ArchiveFormat } from './repo/archive-entry.js'
export {
  type Config,
  type ConfigKey,
  readConfig,
  repositoryConfigPath,
  setConfig,
  userConfigPath,
} from './repo/config.js'
export { type Identity, openIdentity } from './repo/identity.js'
export { type Author, authorOf } from './repo/person.js'
export { Repository } from './repo/repository.js'
export type * from './repo/results.js'
export type { Asked, Direction } from './sync/ask.js'
export { type Cloned, type CloneOptions, clone } from './sync/clone.js'
export type { Peer } from './sync/exchange.js'
export { openPeer, type PeerOptions } from './sync/open-peer.js'
export { addRemote, type Remote, readRemotes, removeRemote } from './sync/remotes.js'
export { type Replicated, replicate, type SyncReport } from './sync/replicate.js'
export { endClone } from './sync/stage.js'
export { adoptFiles } from './worktree/adopt.js'
export { type BeginOptions, type BeginReport, beginWork } from './worktree/begin.js'
export {
  type BisectEnd,
  type BisectMark,
  type BisectReport,
  markBisect,
  resetBisect,
  resumeBisect,
  startBisect,
} from './worktree/bisect.js'
export { createBranch, createTag, deleteBranch, deleteTag, type RefReport, renameBranch } from './worktree/branches.js'
export { type CleanOptions, type CleanReport, clean } from './worktree/clean.js'
export { type CommitOptions, type CommitReport, commit } from './worktree/commit.js'
export { diffWorktree } from './worktree/diff.js'
export { type FollowReport, follow } from './worktree/follow.js'
export { type InitReport, initRepository } from './worktree/init.js'
export { type MergeOptions, type MergeReport, merge } from './worktree/merge.js'
export { type MoveOptions, type MoveReport, movePaths } from './worktree/move.js'
export { type PatchOptions, type PatchReport, patchWorktree } from './worktree/patch-work.js'
export { type PickOptions, type PickReport, pick, revert } from './worktree/pick.js'
export { type RemoveReport, removePaths } from './worktree/remove.js'
export { listConflicts, type ResolveOptions, type ResolveReport, resolveConflicts } from './worktree/resolve.js'
export { type RestorePathsOptions, type RestorePathsReport, restorePaths } from './worktree/restore-paths.js'
export {
  dropShelf,
  type ShelfInfo,
  type ShelveOptions,
  type ShelveReport,
  shelve,
  shelves,
  type UnshelveReport,
  unshelve,
} from './worktree/shelve.js'
export { type SwitchOptions, type SwitchReport, switchTo } from './worktree/switch.js'
export { type OperationInfo, operations, redo, type UndoReport, undo } from './worktree/undo.js'
export { Worktree } from './worktree/worktree.js'
