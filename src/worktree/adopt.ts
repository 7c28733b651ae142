/**
 * Adopting files that were written into a work tree by other means: from then on it stands on the version they are of.
 * @module
 */
import { toHex } from '../base/bytes.js'
import { writeHead } from '../repo/layout.js'
import type { Repository } from '../repo/repository.js'
import { rebuildIndex } from './rebuild.js'
import { scanWorkTree } from './scan.js'

/**
 * Makes the work tree stand on the current branch's version. Files that are not as that version has them are changes then.
 *
 * @throws {CodedError} `V_UNKNOWN` where there is no current branch.
 */
export async function adoptFiles(repo: Repository): Promise<void> {
  const { root } = repo
  const { branch } = await repo.head()
  const { version } = await repo.resolve()
  if (version === undefined) return
  const id = toHex(version.id)
  const index = await rebuildIndex(repo, id, undefined)
  // Every file is read once, so that the next look at them need not.
  index.withStats(scanWorkTree(root, index).stats).write(root)
  await writeHead(root, { branch, version: id })
}
