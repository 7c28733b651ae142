/**
 * Repositories that tests read: bundles imported once per test process, through the library.
 * @module
 */
import { importGit, openIdentity, Repository } from '../../src/index.js'
import { fixture } from './corpus.js'
import { GitMirror } from './git.js'
import { nowhere } from './temp.js'
import { HOME } from './weft.js'

/** A bundle, as weft has it and as git has it. */
export interface Imported {
  readonly dir: string
  readonly mirror: GitMirror
  open(): Promise<Repository>
}

const known = new Map<string, Promise<Imported>>()

/** A bundle in `fixtures/`, by its name without `.bundle`. Whoever changes the repository imports one for itself. */
export function imported(name: string): Promise<Imported> {
  let there = known.get(name)
  if (there === undefined) {
    there = importedFrom(fixture(name))
    known.set(name, there)
  }
  return there
}

/** A bundle anywhere, imported anew. */
export async function importedFrom(source: string, refs?: readonly string[]): Promise<Imported> {
  const dir = nowhere('imported')
  await importGit({ source, dir, refs, identity: await openIdentity(HOME) })
  return { dir, mirror: new GitMirror(source), open: () => Repository.open(dir, { home: HOME }) }
}
