/**
 * The end of an export: the files of the branch that is checked out in the target, then all refs in one transaction.
 *
 * Files come before refs, so that an export that is cut off in between finds the same refs again and brings the files to
 * where they are already. git itself refuses to write over what somebody has changed there: then that branch stays.
 *
 * Where git and weft share a directory, the files are weft's. Then git's HEAD follows weft's current branch and git's index
 * is made to say what is in it; no file is touched.
 * @module
 */
import { realpath } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { encodeUtf8, fromLatin1, toHex, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { formatPath } from '../repo/path-text.js'
import type { Refusal } from '../repo/results.js'
import { refusal, shown } from './export-refs.js'
import { runGit } from './process.js'
import type { Target } from './target.js'
import { emptyTreeId } from './tree-id.js'

/** A ref to set. */
export interface RefUpdate {
  /** Full name, a binary string. */
  readonly name: string
  /** Hex id of what it names now; undefined where it is not there. */
  readonly from: string | undefined
  readonly to: string
}

/** Where weft stands. */
export interface Here {
  /** weft's current branch. */
  readonly head: string | undefined
  /** The directory that holds `.weft`. */
  readonly root: string
}

/** How long to wait for a git that has the index, in milliseconds: one of an export that was killed ends by itself. */
const LOCK_WAIT = 10_000
const LOCK_POLL = 100

const BRANCHES = 'refs/heads/'

/** Checks out and sets refs. */
export async function finishExport(
  target: Target,
  updates: readonly RefUpdate[],
  here: Here,
): Promise<{ refs: number; refused: Refusal[] }> {
  const refused: Refusal[] = []
  const shared = target.workTree !== undefined && target.workTree === (await realpath(here.root))
  const next = headFor(target, updates, here, shared)
  const head = next ?? target.head
  // Where the files are git's, HEAD names the branch before it is there, as in any new repository.
  if (next !== undefined && !shared) await setHead(target, next)
  const set: RefUpdate[] = []
  for (const update of updates) {
    const problem = await checkOut(target, update, { head, shared })
    if (problem === undefined) set.push(update)
    else refused.push(problem)
  }
  const there = next === undefined ? undefined : target.refs.get(next)?.id
  if (shared && next !== undefined && there !== undefined && !updates.some(({ name }) => name === next)) {
    const problem = await checkOut(target, { name: next, from: there, to: there }, { head, shared })
    if (problem !== undefined) refused.push(problem)
  }
  if (set.length > 0) {
    const lines = set.map(({ name, from, to }) => `update ${name}\0${to}\0${from ?? '0'.repeat(to.length)}\0`)
    await runGit(target.gitDir, ['update-ref', '-z', '--stdin'], Buffer.from(lines.join(''), 'latin1'))
  }
  if (shared && next !== undefined && !refused.some(({ ref }) => ref === formatPath(next))) await setHead(target, next)
  return { refs: set.length, refused }
}

async function setHead({ gitDir, head }: Target, name: string): Promise<void> {
  if (name !== head) await runGit(gitDir, ['symbolic-ref', 'HEAD', textOf(name)])
}

/** The branch that HEAD is to name; undefined where it stays. */
function headFor(target: Target, updates: readonly RefUpdate[], here: Here, shared: boolean): string | undefined {
  const current = here.head === undefined ? undefined : BRANCHES + toLatin1(encodeUtf8(here.head))
  const branches = updates.map(({ name }) => name).filter((name) => name.startsWith(BRANCHES))
  const has = (name: string): boolean => branches.includes(name) || target.refs.has(name)
  if (shared) return current !== undefined && current !== target.head && has(current) ? current : undefined
  // In a new repository HEAD names what `git init` is set up to name.
  if (target.refs.size > 0) return undefined
  return [current, `${BRANCHES}main`, `${BRANCHES}master`, ...branches].find((name) => name !== undefined && has(name))
}

/** Brings the files of a branch to where the branch will be; says why not where they cannot. */
async function checkOut(
  target: Target,
  { name, from, to }: RefUpdate,
  { head, shared }: { head: string | undefined; shared: boolean },
): Promise<Refusal | undefined> {
  const place = target.refs.get(name)?.workTree ?? ''
  const isHead = target.workTree !== undefined && name === head
  if (!isHead && place !== '' && place !== target.workTree) {
    return refusal(name, 'GIT_WORK_TREE', `In git, ${shown(name)} is checked out in ${place}.`, {
      hint: 'Check out another branch there, or export into that directory.',
    })
  }
  if (!isHead) return undefined
  const nothing = toHex(fromLatin1(emptyTreeId(target.hashLength)))
  try {
    // What is in the index belongs to the branch that HEAD names still, which may be another one.
    if (shared) await readIndex(target, target.headCommit ?? nothing, to)
    else await moveFiles(target, from ?? nothing, to)
    return undefined
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'GIT_FAILED') throw error
    return refusal(
      name,
      'GIT_WORK_TREE',
      `In git, ${shown(name)} is checked out, and its files stay as they are: ${error.message}`,
      {
        hint: 'Commit or stash what was changed there, and export again.',
      },
    )
  }
}

async function moveFiles(target: Target, old: string, to: string): Promise<void> {
  await refresh(target)
  await whenUnlocked(() => inWorkTree(target, 'read-tree', '-m', '-u', old, to))
}

/** Makes the index say what is in a commit, unless there is in it what nobody has committed. */
async function readIndex(target: Target, old: string, to: string): Promise<void> {
  const isStaged = async (tree: string): Promise<boolean> => {
    const same = await inWorkTree(target, 'diff-index', '--cached', '--quiet', tree).catch(unlessFailed)
    return same === undefined
  }
  if ((await isStaged(old)) && (await isStaged(to))) {
    throw new CodedError('GIT_FAILED', 'its index holds changes that are not committed.')
  }
  await whenUnlocked(() => inWorkTree(target, 'read-tree', to))
  await refresh(target)
}

/** Lets git see which files are what the index says. It fails where some are not. */
async function refresh(target: Target): Promise<void> {
  await inWorkTree(target, 'update-index', '-q', '--refresh').catch(unlessFailed)
}

function inWorkTree({ gitDir, workTree }: Target, ...args: string[]): Promise<Buffer> {
  return runGit(gitDir, args, undefined, workTree)
}

async function whenUnlocked(work: () => Promise<unknown>): Promise<void> {
  for (const until = Date.now() + LOCK_WAIT; ; ) {
    try {
      await work()
      return
    } catch (error) {
      const isLocked = error instanceof CodedError && /index\.lock/.test(String(error.data?.['stderr']))
      if (!isLocked || Date.now() > until) throw error
      await setTimeout(LOCK_POLL)
    }
  }
}

function unlessFailed(error: unknown): undefined {
  if (error instanceof CodedError && error.code === 'GIT_FAILED') return undefined
  throw error
}

/** Arguments are text: a name that is not UTF-8 comes out as another one, and git says that there is no such branch. */
function textOf(name: string): string {
  return Buffer.from(name, 'latin1').toString('utf8')
}
