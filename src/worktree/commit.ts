/**
 * Commit: what differs from the version that the work tree stands on becomes a version.
 * @module
 */
import { encodeUtf8, fromHex, toHex, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import type { Composed } from '../history/compose.js'
import type { Extra } from '../history/extra.js'
import { type Ident, refOf, type VersionRef } from '../history/header.js'
import { CONFLICTS_EXTRA, SQUASH_EXTRA } from '../history/note.js'
import { authorVersion } from '../repo/author.js'
import { branchHeads } from '../repo/branch-heads.js'
import { identNow } from '../repo/ident.js'
import { formatPath, unformatPath } from '../repo/path-text.js'
import type { Author } from '../repo/person.js'
import type { Repository } from '../repo/repository.js'
import {
  assertFit,
  type ChosenContent,
  type CommitChanges,
  type CommittedPath,
  changesOf,
  isLarge,
  trackedAfter,
} from './commit-changes.js'
import { movesOf, withBothEnds, withFiles, withMoves } from './move.js'
import type { RefMove } from './operation.js'
import type { Scan } from './scan.js'
import type { WorkState } from './state.js'
import { lookAt } from './work-files.js'
import type { Worktree } from './worktree.js'

export interface CommitOptions {
  readonly message: string
  readonly author: Author
  /** Files and directories to commit; everything where there are none. Binary strings. */
  readonly paths?: readonly string[] | undefined
  /** What to commit instead of what is in the work tree, by path (a binary string): chosen hunks. */
  readonly contents?: ReadonlyMap<string, ChosenContent> | undefined
  /** Commit although conflicts are not resolved. */
  readonly withConflicts?: boolean | undefined
  /** New files of more bytes than this are warned of. */
  readonly largeFile?: number | undefined
}

export interface CommitReport {
  /** Hex id. */
  readonly version: string
  readonly parents: readonly string[]
  /** The branch that was moved; none where the work tree stands on a version by itself. */
  readonly branch?: string
  /** First line of the message. */
  readonly subject: string
  readonly changes: readonly CommittedPath[]
  /** Hex ids of other heads that the branch has. */
  readonly otherHeads: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * What a commit would hold.
 *
 * @throws {CodedError} As `commit`, but for the message.
 */
export async function previewCommit(
  work: Worktree,
  options: Omit<CommitOptions, 'message' | 'author'>,
): Promise<readonly CommittedPath[]> {
  return (await prepare(work, options)).changes.committed
}

/** Looks at the work tree, and refuses what cannot be committed. */
async function prepare(
  work: Worktree,
  { paths, withConflicts, contents }: Omit<CommitOptions, 'message' | 'author'>,
): Promise<{ scan: Scan; changes: CommitChanges }> {
  const { state } = work
  await assertStanding(work)
  for (const path of paths ?? []) assertThere(work, path)
  const scan = work.scan({ paths: withBothEnds(paths, state) })
  assertFit(scan)
  if (state.conflicts !== undefined && withConflicts !== true) throw conflictsLeft()
  if (state.merge !== undefined && paths !== undefined && paths.length > 0) {
    throw new CodedError('MERGE_UNDER_WAY', 'A merge is committed as a whole.', { hint: 'Leave the paths out.' })
  }
  if (scan.changes.length === 0 && state.merge === undefined) throw nothingToCommit(paths)
  return { scan, changes: await changesOf(work, scan, contents) }
}

/**
 * Commits.
 *
 * @throws {CodedError} `NOTHING_TO_COMMIT`, `CONFLICTS_LEFT`, `MESSAGE_EMPTY`, `FILE_UNREADABLE`, `PATH_COLLISION`,
 *   `PATH_UNKNOWN`; what reading files and storing throws.
 */
export async function commit(work: Worktree, options: CommitOptions): Promise<CommitReport> {
  const { repo, state } = work
  const message = parseMessage(options.message === '' ? (state.merge ?? state.pick)?.message : options.message)
  const { scan, changes } = await prepare(work, options)
  const parents = await parentsOf(work)
  const ident = identNow(options.author)
  const composed = await authorVersion(
    { entries: repo.entries, versions: repo.versions, ...(await repo.writer()) },
    {
      parents,
      writes: changes.writes,
      author: await firstAuthor(work, ident),
      committer: ident,
      message: encodeUtf8(message),
      noteExtra: noteExtraOf(state),
      sources: await versionRefs(repo, state.sources ?? []),
      ...(parents.length === 1 ? { tree: work.index.treeFor(changes.writes.map(({ path }) => path)) } : {}),
    },
  )
  const id = toHex(composed.ref.id)
  const [subject = ''] = message.split('\n', 1)
  const { branch } = work.head
  await work.perform({
    command: 'commit',
    summary: `${id.slice(0, 12)} ${subject}`,
    entries: composed.entries,
    ...(branch === undefined ? {} : { refs: [branchMove(work, branch, composed)] }),
    head: { branch, version: id },
    index: work.index.with(composed.ref, trackedAfter(changes, composed)),
    state: stateAfter(state, changes),
  })
  return {
    version: id,
    parents: parents.map((parent) => toHex(parent.id)),
    ...(branch === undefined ? {} : { branch }),
    subject,
    changes: changes.committed,
    otherHeads: branch === undefined ? [] : await otherHeads(work, branch, id),
    warnings: warningsOf(scan, options.largeFile),
  }
}

/** Refuses a path at which nothing is and nothing was: it is mistyped, and the rest should not go without it. */
function assertThere({ root, index }: Worktree, path: string): void {
  const next = index.lowerBound(`${path}/`)
  if (path === '' || index.find(path) >= 0 || (next < index.count && index.at(next).path.startsWith(`${path}/`))) return
  if (lookAt(root, path) !== undefined) return
  throw new CodedError('PATH_UNKNOWN', `There is no ${formatPath(path)} in the work tree, nor in the last version.`, {
    hint: '`weft status` shows what has changed.',
    data: { path: formatPath(path) },
  })
}

/** Refuses to go on where the work tree was never given the branch's files: all of them would count as deleted. */
export async function assertStanding({ repo, head: { branch, version } }: Worktree): Promise<void> {
  if (version !== undefined) return
  if (branch === undefined) {
    throw new CodedError('WORKTREE_ABSENT', 'This work tree stands on no branch and no version.', {
      hint: '`weft switch <branch>` puts it on one, `weft switch -c <name>` on a new one.',
    })
  }
  if ((await branchHeads(repo.entries, branch)).length === 0) return
  throw new CodedError('WORKTREE_ABSENT', `The files of ${branch} have not been written into this work tree yet.`, {
    hint: `Run \`weft switch ${branch}\` first.`,
  })
}

async function otherHeads({ repo }: Worktree, branch: string, id: string): Promise<string[]> {
  return (await branchHeads(repo.entries, branch)).map((head) => toHex(head.id)).filter((head) => head !== id)
}

/**
 * A message as versions have it, with a newline at its end.
 *
 * @throws {CodedError} `MESSAGE_EMPTY`.
 */
export function parseMessage(text = ''): string {
  if (text.trim() !== '') return `${text.trimEnd()}\n`
  throw new CodedError('MESSAGE_EMPTY', 'A version needs a message.', { hint: 'Say with -m what it changes.' })
}

function nothingToCommit(paths: readonly string[] | undefined): CodedError {
  const where = paths === undefined || paths.length === 0 ? '' : ' at these paths'
  return new CodedError('NOTHING_TO_COMMIT', `Nothing has changed${where} since the last version.`, {
    hint: '`weft status` shows what there is; what is ignored is not committed.',
  })
}

function conflictsLeft(): CodedError {
  return new CodedError('CONFLICTS_LEFT', 'There are conflicts that have not been resolved.', {
    hint: '`weft resolve --list` shows them. --with-conflicts commits them as they are.',
  })
}

/** The version that the work tree stands on, and those that are being merged into it. */
async function parentsOf({ repo, index, state }: Worktree): Promise<VersionRef[]> {
  return [...(index.base === undefined ? [] : [index.base]), ...(await versionRefs(repo, state.merge?.parents ?? []))]
}

async function versionRefs(repo: Repository, ids: readonly string[]): Promise<VersionRef[]> {
  const refs: VersionRef[] = []
  for (const id of ids) {
    const { version } = await repo.resolve(id)
    if (version !== undefined) refs.push(refOf(version))
  }
  return refs
}

/** Who wrote what is committed: of a version that is picked, its author. */
async function firstAuthor({ repo, state: { pick } }: Worktree, ident: Ident): Promise<Ident> {
  if (pick?.kind !== 'pick') return ident
  return (await repo.resolve(pick.version)).version?.author ?? ident
}

function noteExtraOf({ merge, conflicts }: WorkState): Extra[] {
  const extra: Extra[] = []
  if (conflicts !== undefined) extra.push({ name: CONFLICTS_EXTRA, value: fromHex(conflicts.data) as Uint8Array })
  if (merge?.squash === true) extra.push(SQUASH_EXTRA)
  return extra
}

/** The branch's move to a version: heads that the version does not know of stay beside it. */
export function branchMove(
  work: Pick<Worktree, 'repo'>,
  branch: string,
  { ref, vector }: Pick<Composed, 'ref' | 'vector'>,
): RefMove {
  const { streams } = work.repo.versions
  return {
    kind: 'b',
    name: toLatin1(encodeUtf8(branch)),
    to: [{ version: ref }],
    keeps: ({ value: { version } }) =>
      version !== undefined && !vector.covers(streams.slot(version.stream), version.seq),
  }
}

/** What is still under way when a version was made. Conflicts that were committed are still open. */
function stateAfter(state: WorkState, { writes }: CommitChanges): WorkState {
  const { merge: _, pick: __, sources: ___, ...rest } = state
  const written = new Set(writes.map(({ path }) => path))
  const moves = new Map([...movesOf(state)].filter(([to, from]) => !written.has(to) && !written.has(from)))
  const files = Object.entries(state.files ?? {}).filter(([path]) => !written.has(unformatPath(path)))
  return withFiles(withMoves(rest, moves), Object.fromEntries(files))
}

function warningsOf({ changes, special, nested }: Scan, largeFile = Number.POSITIVE_INFINITY): string[] {
  const large = changes.filter((change) => isLarge(change, largeFile))
  return [
    ...large.map(
      ({ path, found }) => `${formatPath(path)} is large: ${found?.size} bytes are now in the history for good.`,
    ),
    ...special.map(({ path, kind }) => `${formatPath(path)} is a ${kind} and was left out.`),
    ...nested.map((path) => `${formatPath(path)} is a repository of its own and was left out.`),
  ]
}
