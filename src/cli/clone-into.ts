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
import { clone } from '../sync/clone.js'
import type { Peer } from '../sync/exchange.js'
import { addRemote, DEFAULT_REMOTE, readRemotes } from '../sync/remotes.js'
import { type BeginReport, beginWork } from '../worktree/begin.js'

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
  const isNew = await assertRoom(root)
  const { home, branch, bare, token, progress } = options
  try {
    const { verified, versions, bytesReceived, branch: usual } = await clone(peer, { root, progress })
    if (!readRemotes(root).some(({ name }) => name === DEFAULT_REMOTE)) {
      addRemote(root, { name: DEFAULT_REMOTE, url: peer.url, ...(token !== undefined && { token }) })
    }
    await using repo = await Repository.open(root, { home })
    const signers = await listSigners(repo, await knownPublicKey(home))
    rememberSigners(
      root,
      signers.filter(({ own }) => !own).map(({ publicKey }) => fromHex(publicKey) as Uint8Array),
    )
    const begun = await beginWork(repo, { branch, usual, bare, progress })
    const { entries, signatures, seconds } = verified
    return { root, url: peer.url, versions, entries, signatures, bytesReceived, verified: seconds, signers, ...begun }
  } catch (error) {
    // A clone that never began leaves nothing behind.
    if (isNew && !(await hasBegun(root))) await rm(root, { recursive: true, force: true })
    throw error
  }
}

/** Answers whether the directory had to be made. */
async function assertRoom(root: string): Promise<boolean> {
  if (await isRepository(root)) {
    throw new CodedError('REPO_EXISTS', `${root} is a weft repository already.`, {
      hint: '`weft pull` there brings it up to date.',
    })
  }
  const made = await mkdir(root, { recursive: true })
  const others = (await readdir(root)).filter((name) => name !== WEFT_DIRECTORY)
  if (others.length === 0) return made !== undefined
  throw new CodedError('DIR_NOT_EMPTY', `${root} has something in it.`, { hint: 'Name a new or empty directory.' })
}

async function hasBegun(root: string): Promise<boolean> {
  if (await isRepository(root)) return true
  const names = await readdir(join(root, WEFT_DIRECTORY, 'clone')).catch(() => [] as string[])
  return names.includes('state')
}
