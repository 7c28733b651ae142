/**
 * git as the oracle: what a history really holds, byte for byte, read from its objects.
 *
 * git's listings tidy up: they canonicalise modes and leave out empty directories. So trees are parsed here from the raw
 * objects. Paths are binary strings. Everything is kept in memory; ask for blobs in portions where there are many.
 * @module
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { temporary } from './temp.js'

const LIMITS = { maxBuffer: 2 ** 31 - 1 }

/** Settings of nobody: no user's, no system's, no replacement objects. */
export const GIT_ENVIRONMENT: NodeJS.ProcessEnv = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))),
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
  LC_ALL: 'C',
}

/** Runs git in `cwd` and returns what it prints. */
export function git(cwd: string, args: readonly string[], input?: string | Buffer): Buffer {
  return execFileSync('git', args, {
    ...LIMITS,
    cwd,
    env: GIT_ENVIRONMENT,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(input === undefined ? {} : { input }),
  })
}

/** One path of a tree. */
export interface GitFile {
  /** As the tree object has it, `100664`, `040000`. */
  readonly rawMode: string
  /** As git would write it today. */
  readonly mode: string
  readonly id: string
}

/** A commit object in parts; the parts are raw bytes as binary strings. */
export interface GitCommit {
  readonly id: string
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: string
  readonly committer: string
  /** The `encoding` header's value. */
  readonly encoding?: string
  readonly message: string
}

/** A bare mirror of a bundle or a repository. */
export class GitMirror {
  readonly dir: string
  readonly #trees = new Map<string, readonly (readonly [name: string, file: GitFile])[]>()

  constructor(source: string) {
    this.dir = join(temporary('mirror'), 'mirror.git')
    git('.', ['clone', '-q', '--mirror', source, this.dir])
  }

  git(...args: string[]): Buffer {
    return git(this.dir, args)
  }

  /** Branches and tags by full name (a binary string), with the commit each leads to; other refs are left out. */
  refs(): Map<string, string> {
    const listed = this.git('for-each-ref', '--format=%(refname)', 'refs/heads', 'refs/tags').toString('latin1')
    const names = listed.split('\n').filter(Boolean)
    const asked = Buffer.from(names.map((name) => `${name}^{commit}\n`).join(''), 'latin1')
    const answers = git(this.dir, ['cat-file', '--batch-check'], asked).toString('latin1').split('\n')
    const refs = new Map<string, string>()
    for (const [i, name] of names.entries()) {
      const commit = /^([0-9a-f]{40}) commit /.exec(answers[i] ?? '')?.[1]
      if (commit !== undefined) refs.set(name, commit)
    }
    return refs
  }

  /** Commits that branches and tags reach, parents before children. */
  commits(...from: string[]): GitCommit[] {
    const which = from.length > 0 ? from : ['--branches', '--tags', 'HEAD']
    const ids = this.git('rev-list', '--topo-order', '--reverse', ...which)
      .toString()
      .split('\n')
      .filter(Boolean)
    const objects = this.objects(ids)
    return ids.map((id) => parseCommit(id, objects.get(id) as Buffer))
  }

  /** Contents of objects, through one process. */
  objects(ids: readonly string[]): Map<string, Buffer> {
    const all = new Map<string, Buffer>()
    if (ids.length === 0) return all
    const out = git(this.dir, ['cat-file', '--batch', '--buffer'], `${ids.join('\n')}\n`)
    for (let at = 0; at < out.length; ) {
      const end = out.indexOf(10, at)
      const [id = '', type, size] = out.toString('latin1', at, end).split(' ')
      if (type === 'missing') throw new Error(`${this.dir} has no object ${id}`)
      all.set(id, out.subarray(end + 1, end + 1 + Number(size)))
      at = end + 2 + Number(size)
    }
    return all
  }

  /** Every file of a tree, submodules and symlinks included, by path. */
  files(tree: string, prefix = '', into = new Map<string, GitFile>()): Map<string, GitFile> {
    for (const [name, file] of this.#tree(tree)) {
      if (file.mode === '40000') this.files(file.id, `${prefix}${name}/`, into)
      else into.set(prefix + name, file)
    }
    return into
  }

  #tree(id: string): readonly (readonly [name: string, file: GitFile])[] {
    if (this.#trees.size === 0) this.#loadTrees()
    const entries = this.#trees.get(id)
    if (entries === undefined) throw new Error(`${this.dir} has no tree ${id}`)
    return entries
  }

  /** All trees at once: asked one at a time they would take a process each. */
  #loadTrees(): void {
    const listed = this.git('cat-file', '--batch-all-objects', '--batch-check=%(objecttype) %(objectname)').toString()
    const ids = [...listed.matchAll(/^tree ([0-9a-f]{40})$/gm)].map(([, id]) => id as string)
    for (const [id, bytes] of this.objects(ids)) this.#trees.set(id, parseTree(bytes))
  }
}

/** A mode as git would write it today. */
function canonicalMode(raw: string): string {
  const mode = Number.parseInt(raw, 8)
  switch (mode & 0o170000) {
    case 0o100000:
      return (mode & 0o100) === 0 ? '100644' : '100755'
    case 0o120000:
      return '120000'
    case 0o040000:
      return '40000'
    default:
      return '160000'
  }
}

function parseTree(bytes: Buffer): (readonly [name: string, file: GitFile])[] {
  const entries: (readonly [name: string, file: GitFile])[] = []
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at)
    const nul = bytes.indexOf(0, space)
    const rawMode = bytes.toString('latin1', at, space)
    const id = bytes.toString('hex', nul + 1, nul + 21)
    entries.push([bytes.toString('latin1', space + 1, nul), { rawMode, mode: canonicalMode(rawMode), id }])
    at = nul + 21
  }
  return entries
}

function parseCommit(id: string, bytes: Buffer): GitCommit {
  const text = bytes.toString('latin1')
  const blank = text.indexOf('\n\n')
  const head = blank < 0 ? text : text.slice(0, blank)
  const value = (keyword: string): string | undefined => new RegExp(`^${keyword} (.*)$`, 'm').exec(head)?.[1]
  const encoding = value('encoding')
  return {
    id,
    tree: value('tree') as string,
    parents: [...head.matchAll(/^parent (.*)$/gm)].map(([, parent]) => parent as string),
    author: value('author') ?? '',
    committer: value('committer') ?? '',
    ...(encoding === undefined ? {} : { encoding }),
    message: blank < 0 ? '' : text.slice(blank + 2),
  }
}
