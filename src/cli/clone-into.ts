/**
 * Cloning into a directory: repository, remote and first files.
 * @module
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fromHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { knownPublicKey } from '../repo/identity.js'
import { isRepository, WEFT_DIRECTORY } from '../repo/layout.js'
import { Repository } from '../repo/repository.js'
import type { Progress, SignerInfo } from '../repo/results.js'
import { listSigners } from '../repo/signer-list.js'
import { rememberSigners } from '../repo/signers.js'
import { branchOf, type Cloned, clone } from '../sync/clone.js'
import type { Peer } from '../sync/exchange.js'
import { addRemote, DEFAULT_REMOTE, readRemotes } from '../sync/remotes.js'
import { endClone, unfinishedClone } from '../sync/stage.js'
import { type BeginReport, beginWork } from '../worktree/begin.js'
import { switchTo } from '../worktree/switch.js'
import { Worktree } from '../worktree/worktree.js'

/** What was cloned. */
export interface CloneReport extends BeginReport {
  readonly root: string
  readonly url: string
  /** Versions of files. */
  readonly versions: number
  readonly entries: number
  readonly signatures: number
  readonly bytesReceived: number
  /** Seconds that verification took. */
  readonly verified: number
  /** Keys by which it is signed; they are known from now on. */
  readonly signers: readonly SignerInfo[]
}

export interface CloneIntoOptions {
  readonly home: string
  readonly branch?: string | undefined
  readonly bare?: boolean | undefined
  readonly token?: string | undefined
  readonly progress?: Progress
}

/**
 * Clones from `peer` into `root`, which must be new, empty, or where a clone was interrupted.
 *
 * @throws {CodedError} `REPO_EXISTS`, `DIR_NOT_EMPTY`; as `clone` and `beginWork`.
 */
export async function cloneInto(peer: Peer, root: string, options: CloneIntoOptions): Promise<CloneReport> {
  const begun = await unfinishedClone(root)
  const isNew = begun === undefined && (await assertRoom(root))
  try {
    const cloned = begun === undefined ? await clone(peer, { root, progress: options.progress }) : undefined
    return await settle(peer, root, cloned, cloned?.branch ?? (begun && branchOf(begun)), options)
  } catch (error) {
    // A clone that never began leaves nothing behind.
    if (isNew && !(await hasBegun(root))) await rm(root, { recursive: true, force: true })
    throw error
  }
}

/**
 * All that comes when the store is there: the remote, the keys, the files.
 *
 * @param cloned - Undefined where the store is from an attempt that was interrupted: then it is verified here.
 */
async function settle(
  peer: Peer,
  root: string,
  cloned: Cloned | undefined,
  usual: string | undefined,
  { home, branch, bare, token, progress }: CloneIntoOptions,
): Promise<CloneReport> {
  if (!readRemotes(root).some(({ name }) => name === DEFAULT_REMOTE)) {
    addRemote(root, { name: DEFAULT_REMOTE, url: peer.url, ...(token !== undefined && { token }) })
  }
  await using repo = await Repository.open(root, { home })
  const signers = await listSigners(repo, await knownPublicKey(home))
  rememberSigners(
    root,
    signers.filter(({ own }) => !own).map(({ publicKey }) => fromHex(publicKey) as Uint8Array),
  )
  const { entries, signatures, seconds, versions } =
    cloned === undefined ? await repo.verify({ ...(progress && { progress }) }) : { ...cloned.verified, ...cloned }
  // Some of the files may be there from before: the others are added to them.
  const isPartly = (await filesIn(root)).length > 0
  const begun = await beginWork(repo, { branch, usual, bare: bare === true || isPartly, progress })
  if (isPartly && begun.branch !== undefined) await switchTo(await Worktree.open(repo), { to: begun.branch })
  await endClone(root)
  const bytesReceived = cloned?.bytesReceived ?? 0
  return { root, url: peer.url, versions, entries, signatures, bytesReceived, verified: seconds, signers, ...begun }
}

/** Answers whether the directory had to be made. */
async function assertRoom(root: string): Promise<boolean> {
  if (await isRepository(root)) {
    throw new CodedError('REPO_EXISTS', `${root} is a weft repository already.`, {
      hint: '`weft pull` there brings it up to date.',
    })
  }
  const made = await mkdir(root, { recursive: true })
  if ((await filesIn(root)).length === 0) return made !== undefined
  throw new CodedError('DIR_NOT_EMPTY', `${root} has something in it.`, { hint: 'Name a new or empty directory.' })
}

async function filesIn(root: string): Promise<string[]> {
  return (await readdir(root)).filter((name) => name !== WEFT_DIRECTORY)
}

async function hasBegun(root: string): Promise<boolean> {
  if (await isRepository(root)) return true
  const names = await readdir(join(root, WEFT_DIRECTORY, 'clone')).catch(() => [] as string[])
  return names.includes('state')
}
