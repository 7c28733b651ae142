/**
 * Where an import reads from: a git repository, or a bundle unpacked into a temporary one.
 *
 * A bundle is taken apart with `git bundle unbundle`, which checks the pack but, unlike a clone, does not walk the whole
 * history again. What makes a source unfit (shallow, not a repository, prerequisites missing) is found here, before
 * anything is written.
 * @module
 */
import { mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { CodedError } from '../base/error.js'
import type { ObjectSource } from './cat-file.js'
import { runGit } from './process.js'

/** A ref of the source: a branch or a tag. */
export interface SourceRef {
  /** Full name, `refs/heads/main`, as a binary string. */
  readonly name: string
  /** The object it names: a commit, or for an annotated tag the tag. */
  readonly id: string
}

/** An open source. */
export interface Source extends ObjectSource, AsyncDisposable {
  readonly refs: readonly SourceRef[]
  /** Short name of the branch that HEAD names, where it exists. */
  readonly head: string | undefined
}

/**
 * Opens a git repository (bare or not) or a bundle.
 *
 * @throws {CodedError} `GIT_NOT_FOUND`, `GIT_SHALLOW`, `BUNDLE_INCOMPLETE`, `BUNDLE_DAMAGED`, `GIT_MISSING`.
 */
export async function openSource(path: string): Promise<Source> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) {
    throw new CodedError('GIT_NOT_FOUND', `There is nothing at ${path}.`, {
      hint: 'Give the path of a git repository or of a file made by `git bundle create`.',
    })
  }
  return found.isDirectory() ? openRepository(path) : openBundle(path)
}

async function openRepository(path: string): Promise<Source> {
  const gitDir = await findGitDir(path)
  if ((await runGit(gitDir, ['rev-parse', '--is-shallow-repository'])).toString().trim() === 'true') {
    throw new CodedError('GIT_SHALLOW', `The git repository at ${path} is shallow: its oldest history is missing.`, {
      hint: 'Run `git fetch --unshallow` in it, then import again.',
    })
  }
  const listed = (await runGit(gitDir, ['for-each-ref', '--format=%(objectname) %(refname)'])).toString('latin1')
  const symbolic = await runGit(gitDir, ['symbolic-ref', '-q', 'HEAD']).catch(detached)
  return source(gitDir, parseRefs(listed), symbolic.toString('latin1').trim(), undefined)
}

/** The git directory of `path` itself, undefined where it has none: a repository around it would be the wrong one. */
export async function gitDirOf(path: string): Promise<string | undefined> {
  for (const candidate of [join(path, '.git'), path]) {
    const answer = await runGit(candidate, ['rev-parse', '--absolute-git-dir']).catch(notARepository)
    if (answer !== undefined) return answer.toString('utf8').trimEnd()
  }
  return undefined
}

async function findGitDir(path: string): Promise<string> {
  const found = await gitDirOf(path)
  if (found !== undefined) return found
  throw new CodedError('GIT_NOT_FOUND', `${path} is not a git repository.`, {
    hint: 'Give the directory that holds `.git`, a bare repository, or a bundle file.',
  })
}

async function openBundle(path: string): Promise<Source> {
  const file = resolve(path)
  await expectBundle(file)
  const listed = (await runGit(undefined, ['bundle', 'list-heads', file])).toString('latin1')
  const directory = await mkdtemp(join(tmpdir(), 'weft-bundle-'))
  try {
    await runGit(undefined, ['init', '-q', '--bare', directory])
    await runGit(directory, ['bundle', 'unbundle', file]).catch((error: unknown) => {
      throw bundleError(path, error)
    })
    const lines = parseRefs(listed)
    const head = lines.find((ref) => ref.name === 'HEAD')
    const refs = lines.filter((ref) => ref.name.startsWith('refs/'))
    return source(directory, refs, head === undefined ? '' : branchOfHead(head, refs), directory)
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  }
}

/** A bundle says which commit HEAD is, not which branch: take the branch there that is most likely meant. */
function branchOfHead(head: SourceRef, refs: readonly SourceRef[]): string {
  const there = refs.filter((ref) => ref.id === head.id && ref.name.startsWith('refs/heads/')).map((ref) => ref.name)
  return ['refs/heads/main', 'refs/heads/master'].find((name) => there.includes(name)) ?? there[0] ?? ''
}

async function expectBundle(file: string): Promise<void> {
  await using handle = await open(file)
  const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(32), length: 32 })
  if (/^# v[23] git bundle\n/.test(buffer.toString('latin1', 0, bytesRead))) return
  throw new CodedError('GIT_NOT_FOUND', `${file} is neither a git repository nor a git bundle.`, {
    hint: 'Make a bundle with `git bundle create file.bundle --all`.',
  })
}

function bundleError(path: string, error: unknown): unknown {
  if (!(error instanceof CodedError) || error.code !== 'GIT_FAILED') return error
  const said = String(error.data?.['stderr'])
  if (/prerequisite/.test(said)) {
    return new CodedError('BUNDLE_INCOMPLETE', `The bundle ${path} builds on commits that it does not hold.`, {
      hint: 'Make a complete one with `git bundle create file.bundle --all`, or import the repository itself.',
      cause: error,
    })
  }
  return new CodedError('BUNDLE_DAMAGED', `The bundle ${path} is damaged: ${error.message}`, {
    hint: 'Copy it again from where it was made, and compare with `git bundle verify`.',
    cause: error,
  })
}

function parseRefs(text: string): SourceRef[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ id: line.slice(0, line.indexOf(' ')), name: line.slice(line.indexOf(' ') + 1) }))
}

function source(gitDir: string, all: readonly SourceRef[], symbolic: string, temporary: string | undefined): Source {
  const refs = all.filter((ref) => ref.name.startsWith('refs/heads/') || ref.name.startsWith('refs/tags/'))
  const head = refs.some((ref) => ref.name === symbolic) ? symbolic.slice('refs/heads/'.length) : undefined
  return {
    gitDir,
    isHashed: temporary !== undefined,
    refs,
    head,
    async [Symbol.asyncDispose]() {
      if (temporary !== undefined) await rm(temporary, { recursive: true, force: true })
    },
  }
}

/** HEAD names a commit and no branch: there is no current branch to take over. */
function detached(error: unknown): Buffer {
  if (error instanceof CodedError && error.code === 'GIT_FAILED') return Buffer.alloc(0)
  throw error
}

function notARepository(error: unknown): undefined {
  if (error instanceof CodedError && error.code === 'GIT_FAILED') return undefined
  throw error
}
