/**
 * The bundles in `fixtures/` are what their script makes: the same refs, and the same objects to the last bit of an id.
 * The packs' own bytes depend on the version of git, so they are not compared.
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fixture } from './support/corpus.js'
import { GitMirror } from './support/git.js'
import { temporary } from './support/temp.js'
import { ROOT } from './support/weft.js'

/** Refs and objects of a bundle, as git lists them. */
function listing(bundle: string): string {
  const mirror = new GitMirror(bundle)
  const refs = mirror.git('for-each-ref', '--format=%(objectname) %(refname)').toString('latin1')
  return refs + mirror.git('cat-file', '--batch-all-objects', '--batch-check').toString('latin1')
}

describe('fixtures', () => {
  const fresh = temporary('fixtures')
  execFileSync(process.execPath, [join(ROOT, 'fixtures', 'make-bundles.mjs'), fresh])
  for (const name of readdirSync(fresh).map((file) => file.replace(/[.]bundle$/, ''))) {
    it(`${name}.bundle is what the script makes`, () => {
      assert.equal(listing(fixture(name)), listing(join(fresh, `${name}.bundle`)))
    })
  }
})
