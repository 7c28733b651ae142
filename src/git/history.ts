/**
 * Which commits there are and what each changed, read from git as streams.
 *
 * Commits come parents first (`--topo-order --reverse`), each with the difference between its tree and that of its first
 * parent. Renames are git's own finding (exact, then similar); for a merge they say nothing new, because the other
 * parents' trees already tell where a file has gone.
 * @module
 */
import { fromHex, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { runGit, startGit } from './process.js'

/** A commit and its parents: hex ids. */
export interface CommitLine {
  readonly id: string
  readonly parents: readonly string[]
}

/** What a commit did to one path, against its first parent. Paths and ids are binary strings. */
export interface DiffRow {
  readonly path: string
  /** Where the file was, for a rename. */
  readonly from: string | undefined
  /** 0 where the path was deleted. */
  readonly mode: number
  readonly oid: string
}

/** More renamed pairs than this in one commit are compared for equality only. */
const RENAME_LIMIT = 1000

/** All commits reachable from `tips`, parents first. */
export async function listCommits(gitDir: string, tips: readonly string[]): Promise<CommitLine[]> {
  if (tips.length === 0) return []
  const args = ['rev-list', '--topo-order', '--reverse', '--parents', '--stdin']
  const text = (await runGit(gitDir, args, `${tips.join('\n')}\n`)).toString('latin1')
  const commits: CommitLine[] = []
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf('\n', from)
    const [id = '', ...parents] = text.slice(from, end).split(' ')
    commits.push({ id, parents })
    from = end + 1
  }
  return commits
}

/** The difference of each commit to its first parent (of a root: to nothing), in the order given. */
export async function* diffCommits(gitDir: string, commits: readonly CommitLine[]): AsyncGenerator<DiffRow[]> {
  const git = startGit(gitDir, [
    'diff-tree',
    '--stdin',
    '-r',
    '-M',
    `-l${RENAME_LIMIT}`,
    '--raw',
    '-z',
    '--no-abbrev',
    '--root',
    '--always',
  ])
  try {
    git.stdin.end(commits.map(({ id, parents: [parent] }) => `${id}${parent ? ` ${parent}` : ''}\n`).join(''))
    const fields = nulTerminated(git.stdout)
    let rows: DiffRow[] | undefined
    for await (const field of fields) {
      if (!field.startsWith(':')) {
        if (rows !== undefined) yield rows
        rows = []
        continue
      }
      const [, newMode = '', , newOid = '', status = ''] = field.slice(1).split(' ')
      const first = await nextField(fields)
      const renamed = status.startsWith('R')
      rows?.push({
        path: renamed ? await nextField(fields) : first,
        from: renamed ? first : undefined,
        mode: status === 'D' ? 0 : Number.parseInt(newMode, 8),
        oid: binary(newOid),
      })
    }
    await git.finished()
    if (rows !== undefined) yield rows
  } finally {
    git.kill()
  }
}

/** One path of a tree as git lists it. */
export interface ListedPath {
  readonly path: string
  readonly oid: string
  readonly isDirectory: boolean
}

/** All files of a commit, and its directories where they are asked for. */
export async function* listFiles(gitDir: string, commit: string, withDirectories = false): AsyncGenerator<ListedPath> {
  const git = startGit(gitDir, ['ls-tree', '-r', ...(withDirectories ? ['-t'] : []), '-z', '--full-tree', commit])
  git.stdin.end()
  try {
    for await (const line of nulTerminated(git.stdout)) {
      const tab = line.indexOf('\t')
      const [, type, oid = ''] = line.slice(0, tab).split(' ')
      yield { path: line.slice(tab + 1), oid: binary(oid), isDirectory: type === 'tree' }
    }
    await git.finished()
  } finally {
    git.kill()
  }
}

/** A hex id as the binary string of its bytes. */
export function binary(hex: string): string {
  const bytes = fromHex(hex)
  if (bytes === undefined) throw new CodedError('GIT_FAILED', `git printed ${JSON.stringify(hex)} in place of an id.`)
  return toLatin1(bytes)
}

async function nextField(fields: AsyncGenerator<string>): Promise<string> {
  const { value, done } = await fields.next()
  if (done === true) throw new CodedError('GIT_FAILED', 'git diff-tree ended in the middle of a line.')
  return value
}

/** Splits a stream at NULs; fields are binary strings. */
async function* nulTerminated(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of stream) {
    const fields = (rest + toLatin1(chunk)).split('\0')
    rest = fields.pop() as string
    yield* fields
  }
}
