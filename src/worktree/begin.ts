/**
 * The first files of a clone: those of a branch, written where there are none yet.
 * @module
 */
import { decodeUtf8Lossy, fromLatin1, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { isDeletion, readRefs } from '../history/refs.js'
import { noteHeads } from '../repo/heads-note.js'
import { writeHead } from '../repo/layout.js'
import type { Repository } from '../repo/repository.js'
import type { Progress } from '../repo/results.js'
import { adoptFiles } from './adopt.js'
import { WorkIndex } from './index-file.js'

/** Where the work tree stands from the beginning. */
export interface BeginReport {
  readonly branch?: string
  /** Hex id of the version whose files were written. */
  readonly version?: string
  readonly files: number
  readonly bytes: number
  /** Hex ids of other heads of the branch. */
  readonly otherHeads: readonly string[]
}

export interface BeginOptions {
  /** The branch that is wanted; it must be there. */
  readonly branch?: string | undefined
  /** The branch to take where none is wanted: that of the other side. */
  readonly usual?: string | undefined
  /** Write no files. */
  readonly bare?: boolean | undefined
  readonly progress?: Progress | undefined
}

/** Branches that are taken where the other side has none that is current. */
const USUAL = ['main', 'master', 'trunk', 'unstable']

/**
 * Chooses a branch and writes its files.
 *
 * @throws {CodedError} `V_UNKNOWN` where the wanted branch is not there; as `Repository.checkout`.
 */
export async function beginWork(repo: Repository, options: BeginOptions): Promise<BeginReport> {
  const heads = await branches(repo)
  const branch = chosen(options, [...heads.keys()])
  const [version, ...otherHeads] = heads.get(branch) ?? []
  if (version === undefined) {
    await writeHead(repo.root, { branch })
    WorkIndex.build(undefined, []).write(repo.root)
    return { branch, files: 0, bytes: 0, otherHeads: [] }
  }
  if (options.bare === true) {
    await writeHead(repo.root, { branch })
    return { branch, files: 0, bytes: 0, otherHeads }
  }
  const { files, bytes } = await repo.checkout(options.progress, version)
  await writeHead(repo.root, { branch, version })
  await adoptFiles(repo)
  await noteHeads(repo)
  return { branch, version, files, bytes, otherHeads }
}

function chosen({ branch, usual }: BeginOptions, names: readonly string[]): string {
  if (branch === undefined) {
    const wishes = [...(usual === undefined ? [] : [usual]), ...USUAL]
    return wishes.find((name) => names.includes(name)) ?? names[0] ?? usual ?? 'main'
  }
  if (names.includes(branch)) return branch
  throw new CodedError('V_UNKNOWN', `There is no branch ${JSON.stringify(branch)}.`, {
    hint: names.length === 0 ? 'There are no branches at all.' : `There are: ${names.slice(0, 8).join(', ')}.`,
  })
}

/** Hex ids of the heads of all branches. */
async function branches({ entries }: Repository): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  for (const { name, value } of await readRefs(entries, 'b')) {
    if (isDeletion(value) || value.version === undefined) continue
    const text = decodeUtf8Lossy(fromLatin1(name))
    found.set(text, [...(found.get(text) ?? []), toHex(value.version.id)])
  }
  return found
}
