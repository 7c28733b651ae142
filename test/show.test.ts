/**
 * Showing a version: git must take the patch, and come from the parent's tree to the version's.
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import type { VersionDetail } from '../src/index.js'
import { filesBelow } from './support/disk.js'
import { GIT_ENVIRONMENT, type GitCommit, git } from './support/git.js'
import { type Imported, imported } from './support/imported.js'
import { temporary } from './support/temp.js'
import { shownPath } from './support/view.js'

/** The tree that git makes of the first parent's by applying a patch. */
function appliedTree({ mirror }: Imported, commit: GitCommit, patch: string): string {
  const env = { ...GIT_ENVIRONMENT, GIT_INDEX_FILE: join(temporary(), 'index') }
  const run = (args: string[], input?: string): string =>
    execFileSync('git', args, { cwd: mirror.dir, env, input, stdio: ['pipe', 'pipe', 'pipe'] }).toString()
  run(commit.parents[0] === undefined ? ['read-tree', '--empty'] : ['read-tree', commit.parents[0]])
  if (patch !== '') run(['apply', '--cached', '--whitespace=nowarn', '-'], patch)
  return run(['write-tree']).trim()
}

const isBinary = (patch: string): boolean => /^Binary files .* differ$/m.test(patch)

for (const name of ['small', 'badmerge', 'oddities']) {
  describe(`the patches of ${name}`, () => {
    it('turn the first parent into the version, and name the paths that git names', async () => {
      const source = await imported(name)
      const commits = source.mirror.commits()
      await using repo = await source.open()
      let applied = 0
      for (const commit of commits) {
        const { changes, patch } = await repo.show(commit.id)
        const where = `${commit.id}: ${commit.message}`
        const paths = changes.flatMap(({ change, path, from }) => [path, ...(change === 'renamed' ? [from] : [])])
        assert.deepEqual(paths.sort(), gitPaths(source, commit).sort(), where)
        if (isBinary(patch)) continue
        assert.equal(appliedTree(source, commit, patch), commit.tree, `${where}\n${patch}`)
        applied++
      }
      assert.ok(applied > commits.length * 0.6, `${applied} of ${commits.length} patches were applied`)
    })
  })
}

/** All paths that differ from the first parent, without regard to renames. */
function gitPaths({ mirror }: Imported, commit: GitCommit): string[] {
  const from = commit.parents[0] ?? git(mirror.dir, ['hash-object', '-t', 'tree', '/dev/null']).toString().trim()
  const listed = mirror.git('diff-tree', '-r', '--no-renames', '--name-only', from, commit.id).toString()
  // Names that git quotes are written here as weft writes them.
  return listed
    .split('\n')
    .filter(Boolean)
    .map((path) => (path.startsWith('"') ? unquoted(path) : path))
}

function unquoted(path: string): string {
  const bytes = execFileSync('printf', [
    '%b',
    path
      .slice(1, -1)
      .replaceAll('\\"', '"')
      .replace(/\\([0-7]{3})/g, '\\0$1'),
  ])
  const text = bytes.toString('utf8')
  return Buffer.from(text).equals(bytes) && !text.startsWith('"') ? text : path
}

describe('showing a version', () => {
  let source: Imported
  before(async () => {
    source = await imported('oddities')
  })

  /** The only version with this message, shown. */
  async function shown(message: string): Promise<VersionDetail> {
    const found = source.mirror.commits().filter((commit) => commit.message.trimEnd() === message)
    assert.equal(found.length, 1, `commits called ${message}`)
    await using repo = await source.open()
    return await repo.show((found[0] as GitCommit).id)
  }

  it('tells an exact rename', async () => {
    const { changes, patch } = await shown('path: an exact rename')
    assert.deepEqual(changes, [
      {
        path: 'move/exact-2.txt',
        change: 'renamed',
        from: 'move/exact.txt',
        mode: '100644',
        oldMode: '100644',
        binary: false,
      },
    ])
    const head = 'diff --git a/move/exact.txt b/move/exact-2.txt\nsimilarity index 100%\n'
    assert.equal(patch, `${head}rename from move/exact.txt\nrename to move/exact-2.txt\n`)
  })

  it('tells a rename with edits', async () => {
    const { changes, patch } = await shown('path: a rename with edits')
    assert.deepEqual(
      changes.map(({ change, from, path }) => [change, from, path]),
      [['renamed', 'move/edited.txt', 'moved/edited.txt']],
    )
    assert.match(
      patch,
      /^similarity index [89]\d%\nrename from move\/edited\.txt\nrename to moved\/edited\.txt\nindex [0-9a-f]{12}\.\.[0-9a-f]{12} 100644\n--- a/m,
    )
  })

  it('tells a mode from a content', async () => {
    const { changes, patch } = await shown('path: only modes change')
    assert.deepEqual(
      changes.map(({ change, path, oldMode, mode }) => [change, path, oldMode, mode]),
      [
        ['mode', 'kind/plain', '100644', '100755'],
        ['mode', 'kind/run', '100755', '100644'],
      ],
    )
    assert.match(patch, /^diff --git a\/kind\/plain b\/kind\/plain\nold mode 100644\nnew mode 100755\ndiff --git/)
  })

  it('deletes and adds what became another kind of thing', async () => {
    const { changes, patch } = await shown('path: a link becomes a file that holds its target')
    assert.deepEqual(
      changes.map(({ change, oldMode, mode }) => [change, oldMode, mode]),
      [['mode', '120000', '100644']],
    )
    assert.match(
      patch,
      /deleted file mode 120000\nindex [0-9a-f]{12}\.\.0{12}\n--- a\/kind\/to-file\n\+\+\+ \/dev\/null\n@@ -1,1 \+0,0 @@\n-file\.txt\n\\ No/,
    )
    assert.match(patch, /new file mode 100644\n/)
  })

  it('quotes names as git does', async () => {
    const { patch } = await shown('path: strange names')
    assert.match(patch, /^diff --git "a\/names\/new\\nline" "b\/names\/new\\nline"$/m)
    assert.match(patch, /^\+\+\+ b\/names\/ leading space\t$/m)
    assert.match(patch, /^\+\+\+ "b\/names\/\\377\\376"$/m)
    assert.match(patch, /^\+\+\+ "b\/names\/\\303\\251/m)
  })

  it('names the branches and tags that are at the version', async () => {
    await using repo = await source.open()
    const refs = source.mirror.refs()
    const detail = await repo.show('main')
    const expected = [...refs]
      .filter(([, commit]) => commit === detail.git)
      .map(([name]) => shownPath(name.replace(/^refs\/\w+\//, '')))
    assert.deepEqual([...detail.names].sort(), expected.sort())
  })
})

describe('patch -p1', () => {
  it('takes the patches of plain files one after the other', async (t) => {
    try {
      execFileSync('patch', ['--version'], { stdio: 'ignore' })
    } catch {
      return t.skip('there is no patch here')
    }
    const source = await imported('small')
    await using repo = await source.open()
    const dir = temporary('patched')
    const file = join(temporary(), 'patch')
    const binary = new Set<string>()
    const line = firstParents(source.mirror.commits('main'))
    for (const commit of line) {
      const { changes, patch } = await repo.show(commit.id)
      for (const { path, binary: is } of changes) if (is) binary.add(path)
      // A binary file is only said to differ; the rest of such a patch can be applied all the same.
      writeFileSync(file, patch)
      if (patch !== '') execFileSync('patch', ['-p1', '-s', '-d', dir, '-i', file], { stdio: 'pipe' })
    }
    const tip = line.at(-1) as GitCommit
    const found = filesBelow(dir)
    for (const [path, { id }] of source.mirror.files(tip.tree)) {
      const blob = source.mirror.objects([id]).get(id) as Buffer
      if (!binary.has(path)) assert.ok(found.get(path)?.data.equals(blob), path)
    }
  })
})

/** The line of first parents that leads to the last of `commits`, oldest first. */
function firstParents(commits: readonly GitCommit[]): GitCommit[] {
  const byId = new Map(commits.map((commit) => [commit.id, commit]))
  const line: GitCommit[] = []
  for (let at = commits.at(-1); at !== undefined; at = byId.get(at.parents[0] ?? '')) line.unshift(at)
  return line
}
