/**
 * Init: a repository with nothing in it yet.
 * @module
 */
import { CodedError } from '../base/error.js'
import { isRepository, writeHead } from '../repo/layout.js'
import { type OpenOptions, Repository } from '../repo/repository.js'
import { WorkIndex } from './index-file.js'

/** What was made. */
export interface InitReport {
  readonly root: string
  readonly branch: string
}

/**
 * Makes a repository at `root`, with a branch on which there is no version yet. Files that are there already are left
 * alone: they are what the first version is made of.
 *
 * @throws {CodedError} `REPO_EXISTS`, `DIR_IS_FILE`, `DISK_*`.
 */
export async function initRepository(root: string, branch = 'main', options: OpenOptions = {}): Promise<InitReport> {
  if (await isRepository(root)) {
    throw new CodedError('REPO_EXISTS', `${root} is a weft repository already.`, {
      hint: '`weft status` shows where it stands.',
    })
  }
  await using _ = await Repository.openOrCreate(root, undefined, options)
  await writeHead(root, { branch })
  WorkIndex.build(undefined, []).write(root)
  return { root, branch }
}
