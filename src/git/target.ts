/**
 * Where an export writes to: a git repository, made where there is none.
 *
 * Nobody's files are touched: what is neither empty nor a git repository is refused. What `git init` was cut off in is
 * taken for empty, so that an interrupted export can be run again.
 * @module
 */
import { mkdir, readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { CodedError } from '../base/error.js'
import { diskError } from '../repo/disk-error.js'
import { runGit } from './process.js'
import { gitDirOf } from './source.js'

/** A ref of the target. */
export interface TargetRef {
  /** Hex id of what it names. */
  readonly id: string
  /** The work tree in which this branch is checked out; empty for none. */
  readonly workTree: string
}

/** A git repository to write to. */
export interface Target {
  readonly gitDir: string
  /** Where it keeps its packs. */
  readonly packs: string
  /** Where its files are checked out; undefined for a bare one. */
  readonly workTree: string | undefined
  /** Bytes of an id there: 20 or 32. */
  readonly hashLength: number
  /** All refs by full name, binary strings. */
  readonly refs: ReadonlyMap<string, TargetRef>
  /** Full name of the branch that HEAD names, whether it exists or not; undefined where HEAD is detached. */
  readonly head: string | undefined
  /** Hex id of the commit that HEAD leads to; undefined where there is none yet. */
  readonly headCommit: string | undefined
}

/** How to make a repository where there is none. */
export interface TargetOptions {
  readonly bare: boolean
  /** Bytes of ids that the history needs; undefined where any will do. */
  readonly hashLength: number | undefined
}

/** What a bare repository is made of: a directory with nothing else was to become one. */
const GIT_FILES = new Set(['HEAD', 'branches', 'config', 'description', 'hooks', 'info', 'objects', 'refs'])

/**
 * Opens the git repository at `path`, or makes it.
 *
 * @throws {CodedError} `DIR_NOT_EMPTY`, `DIR_IS_FILE`, `DISK_*`, `GIT_SHALLOW`, `GIT_FORMAT`, `GIT_FAILED`, `GIT_MISSING`.
 */
export async function openTarget(path: string, { bare, hashLength }: TargetOptions): Promise<Target> {
  await expectRoom(path)
  let gitDir = await gitDirOf(path)
  if (gitDir === undefined) {
    await makeRepository(path, bare, hashLength ?? 20)
    gitDir = (await gitDirOf(path)) as string
  }
  const ask = async (...args: string[]): Promise<string> => (await runGit(gitDir, args)).toString('latin1').trimEnd()
  const said = (
    await ask('rev-parse', '--is-bare-repository', '--is-shallow-repository', '--show-object-format')
  ).split('\n')
  const [isBare, isShallow, format] = said
  if (isShallow === 'true') {
    throw new CodedError('GIT_SHALLOW', `The git repository at ${path} is shallow: its oldest history is missing.`, {
      hint: 'Run `git fetch --unshallow` in it, or export into a new directory.',
    })
  }
  const length = format === 'sha256' ? 32 : 20
  if (hashLength !== undefined && hashLength !== length) {
    throw new CodedError(
      'GIT_FORMAT',
      `The git repository at ${path} has ids of another kind (${format}) than the history.`,
      {
        hint: 'Export into a new directory.',
      },
    )
  }
  const head = await ask('symbolic-ref', '-q', 'HEAD').catch(detached)
  const packs = resolve(await ask('rev-parse', '--git-path', 'objects/pack'))
  await mkdir(packs, { recursive: true })
  return {
    gitDir,
    packs,
    workTree: isBare === 'true' ? undefined : await workTreeOf(gitDir, path),
    hashLength: length,
    refs: await readTargetRefs(gitDir, isBare === 'true'),
    head,
    headCommit: await ask('rev-parse', '-q', '--verify', 'HEAD').catch(detached),
  }
}

/** @throws {CodedError} unless there is nothing at `path`, an empty directory, or a git repository. */
async function expectRoom(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return
  if (!found.isDirectory()) {
    throw new CodedError('DIR_IS_FILE', `${path} is not a directory.`, { hint: 'Name a directory, new or not.' })
  }
  if ((await gitDirOf(path)) !== undefined) return
  const names = await readdir(path)
  const inside =
    names.length === 1 && names[0] === '.git' ? await readdir(join(path, '.git')).catch(() => ['?']) : names
  if (inside.every((name) => GIT_FILES.has(name))) return
  throw new CodedError('DIR_NOT_EMPTY', `${path} is not a git repository, and it is not empty.`, {
    hint: 'Name a git repository, or a new or empty directory.',
  })
}

async function makeRepository(path: string, bare: boolean, hashLength: number): Promise<void> {
  try {
    await mkdir(path, { recursive: true })
  } catch (error) {
    throw diskError(error, path)
  }
  const format = hashLength === 32 ? ['--object-format=sha256'] : []
  await runGit(undefined, ['init', '-q', ...(bare ? ['--bare'] : []), ...format, path])
}

/** The directory of the files: git's own setting where there is one, else the directory that holds `.git`. */
async function workTreeOf(gitDir: string, path: string): Promise<string> {
  const set = await runGit(gitDir, ['config', '--get', 'core.worktree']).catch(detached)
  const text = set?.toString().trimEnd() ?? ''
  if (text !== '') return realpath(resolve(gitDir, text))
  return realpath(basename(gitDir) === '.git' ? dirname(gitDir) : path)
}

/** A bare repository is among git's work trees: it has a HEAD, and no files that could be left behind. */
async function readTargetRefs(gitDir: string, isBare: boolean): Promise<Map<string, TargetRef>> {
  const format = '--format=%(objectname) %(refname)%00%(worktreepath)%00'
  const fields = (await runGit(gitDir, ['for-each-ref', format])).toString('latin1').split('\0')
  const refs = new Map<string, TargetRef>()
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const line = (fields[i] as string).trimStart()
    const space = line.indexOf(' ')
    const workTree = fields[i + 1] as string
    refs.set(line.slice(space + 1), {
      id: line.slice(0, space),
      workTree: isBare && workTree === gitDir ? '' : workTree,
    })
  }
  return refs
}

/** Commits that refs of the target reach, hex ids. What they need is there, as git sees to it. */
export async function reachedCommits({ gitDir }: Target): Promise<string[]> {
  const text = (await runGit(gitDir, ['rev-list', '--all'])).toString('latin1')
  return text.split('\n').filter((line) => line !== '')
}

function detached(error: unknown): undefined {
  if (error instanceof CodedError && error.code === 'GIT_FAILED') return undefined
  throw error
}
