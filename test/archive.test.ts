/**
 * Archives: what comes out of them is what comes out of git's, the bytes are always the same, and failures leave nothing.
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { makeArchive } from '../src/repo/archive.js'
import { ARCHIVE_FORMATS, type ArchiveEntry, type ArchiveFormat } from '../src/repo/archive-entry.js'
import { tarOf } from '../src/repo/archive-tar.js'
import { zipOf } from '../src/repo/archive-zip.js'
import type { Repository } from '../src/repo/repository.js'
import type { ArchiveReport } from '../src/repo/results.js'
import { writeWholeFile } from '../src/repo/whole-file.js'
import { GIT_ENVIRONMENT, git } from './support/git.js'
import { type Imported, imported, importedFrom } from './support/imported.js'
import { holdsAsync } from './support/property.js'
import { temporary } from './support/temp.js'
import { ROOT, weft, weftFails, weftJson } from './support/weft.js'

/** Everything below a directory: `dir`, or what a link says, or the executable bit and the bytes. Names are raw bytes. */
function contentsBelow(directory: string): Record<string, string> {
  const found: Record<string, string> = {}
  const visit = (path: Buffer, name: string): void => {
    for (const entry of readdirSync(path, { encoding: 'buffer' })) {
      const at = Buffer.concat([path, Buffer.from('/'), entry])
      const own = `${name}${entry.toString('latin1')}`
      const stat = lstatSync(at)
      if (stat.isDirectory()) {
        found[own] = 'dir'
        visit(at, `${own}/`)
      } else if (stat.isSymbolicLink()) found[own] = `-> ${readlinkSync(at, 'latin1')}`
      else found[own] = `${(stat.mode & 0o100) !== 0 ? 'x' : '-'} ${readFileSync(at, 'latin1')}`
    }
  }
  visit(Buffer.from(directory), '')
  return found
}

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}

/** What comes out of an archive. */
function unpacked(bytes: Buffer, format: ArchiveFormat): Record<string, string> {
  const into = temporary('unpacked')
  if (format === 'zip') {
    writeFileSync(`${into}.zip`, bytes)
    execFileSync('unzip', ['-q', `${into}.zip`, '-d', into])
  } else execFileSync('tar', [format === 'tar' ? 'x' : 'xz', '-C', into], { input: bytes })
  return contentsBelow(into)
}

/** The names that git's archive of a commit has, and what is at them. */
function gitArchive(dir: string, commit: string, ...args: string[]): Record<string, string> {
  return unpacked(git(dir, ['archive', ...args, commit]), 'tar')
}

async function archived(repo: Repository, at: string, format: ArchiveFormat, more: object = {}): Promise<Buffer> {
  return bytesOf((await makeArchive(repo, { at, format, ...more })).chunks)
}

let strange: Promise<Imported> | undefined

const LONG = `${'directory-'.repeat(12)}/${'x'.repeat(150)}`

/** A history with all that archives may stumble over. */
function strangeHistory(): Promise<Imported> {
  strange ??= (async () => {
    const dir = temporary('strange')
    git(dir, ['init', '-q', '-b', 'main'])
    const put = (path: string, content: string, mode = 0o644): void => {
      mkdirSync(dirname(join(dir, path)), { recursive: true })
      writeFileSync(join(dir, path), content, 'latin1')
      chmodSync(join(dir, path), mode)
    }
    put('empty', '')
    put('program', '#!/bin/sh\n', 0o755)
    put(LONG, 'long\n')
    put(`a/${'y'.repeat(101)}`, 'just too long\n')
    put('ä/ö \u{1f600}\nü'.normalize('NFC'), 'unicode\n')
    put('binary', Array.from({ length: 70_000 }, (_, i) => String.fromCharCode((i * i) & 255)).join(''))
    put('a-b', 'sorts before a/\n')
    put('block', 'z'.repeat(512))
    symlinkSync('a/b', join(dir, 'link'))
    symlinkSync(`${'t/'.repeat(90)}ü`, join(dir, 'long-link'))
    git(dir, ['add', '-A'])
    git(dir, ['update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},sub/module`])
    const commit = (date: string, message: string): void => {
      const env = { ...GIT_ENVIRONMENT, GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date }
      const who = ['-c', 'user.name=A', '-c', 'user.email=a@x']
      execFileSync('git', [...who, 'commit', '-q', '--allow-empty', '-m', message], { cwd: dir, env })
    }
    commit('@1700000001 +0100', 'one')
    git(dir, ['tag', 'one'])
    commit('@4000000000 +0000', 'late')
    git(dir, ['tag', 'late'])
    commit('@3600 +0000', 'early')
    git(dir, ['tag', 'early'])
    return importedFrom(dir)
  })()
  return strange
}

describe('an archive', () => {
  for (const name of ['small', 'badmerge']) {
    it(`of the history ${name} holds what git's does`, async () => {
      const { mirror, open } = await imported(name)
      await using repo = await open()
      for (const [ref, commit] of mirror.refs()) {
        const bytes = await archived(repo, commit, 'tar')
        assert.deepEqual(unpacked(bytes, 'tar'), gitArchive(mirror.dir, commit), ref)
      }
    })
  }

  for (const format of ARCHIVE_FORMATS) {
    it(`as ${format} holds long names, links, modes, empty files and submodules`, async () => {
      const { mirror, open } = await strangeHistory()
      await using repo = await open()
      const ours = unpacked(await archived(repo, 'one', format), format)
      const theirs = Object.entries(gitArchive(mirror.dir, 'one'))
      // unzip leaves newlines out of names.
      const names = theirs.map(([name, content]) => [format === 'zip' ? name.replaceAll('\n', '') : name, content])
      assert.deepEqual(ours, Object.fromEntries(names))
      assert.deepEqual([ours['sub/module'], ours['empty'], ours['program']], ['dir', '- ', 'x #!/bin/sh\n'])
    })

    it(`as ${format} has the same bytes every time, whatever is read at once`, async () => {
      const { open } = await strangeHistory()
      const first = await (async () => {
        await using repo = await open()
        return await archived(repo, 'one', format)
      })()
      await using repo = await open()
      for (const windowBytes of [0, 1000, 80_000]) {
        assert.ok((await archived(repo, 'one', format, { windowBytes })).equals(first), String(windowBytes))
      }
    })

    it(`as ${format} has a prefix and some paths only`, async () => {
      const { mirror, open } = await strangeHistory()
      await using repo = await open()
      const paths = ['program', 'a', 'sub']
      const ours = unpacked(await archived(repo, 'one', format, { prefix: 'p/q-', paths }), format)
      const theirs = unpacked(git(mirror.dir, ['archive', '--prefix=p/q-', 'one', ...paths]), 'tar')
      assert.deepEqual(ours, theirs)
      assert.deepEqual(Object.keys(ours).sort().slice(0, 2), ['p', 'p/q-a'])
    })
  }

  const times: [tag: string, seconds: number, zip: number][] = [
    ['one', 1_700_000_001, 1_700_000_001],
    ['late', 4_000_000_000, 2 ** 31 - 1],
    ['early', 3600, 3600],
  ]
  for (const [tag, seconds, zip] of times) {
    it(`carries the committer's time: ${tag}`, async () => {
      const { open } = await strangeHistory()
      await using repo = await open()
      const into = temporary('times')
      execFileSync('tar', ['x', '-C', into], { input: await archived(repo, tag, 'tar') })
      for (const name of ['program', 'a', LONG]) assert.equal(lstatSync(join(into, name)).mtimeMs / 1000, seconds, name)
      writeFileSync(join(into, 'a.zip'), await archived(repo, tag, 'zip'))
      execFileSync('unzip', ['-q', 'a.zip', 'program', '-d', 'z'], { cwd: into })
      assert.equal(lstatSync(join(into, 'z/program')).mtimeMs / 1000, zip)
    })
  }

  it('lists directories before what is in them, in order of paths', async () => {
    const { open } = await imported('small')
    await using repo = await open()
    const listed = execFileSync('tar', ['t'], { input: await archived(repo, 'main', 'tar'), encoding: 'utf8' }).split(
      '\n',
    )
    assert.deepEqual(listed.slice(0, 6), [
      'README.md',
      'photos/',
      'photos/bread.pgm',
      'recipes/',
      'recipes/baked/',
      'recipes/baked/apple-cake.md',
    ])
  })

  const refused: [name: string, options: object, code: string][] = [
    ['an unknown version', { at: 'nowhere' }, 'V_UNKNOWN'],
    ['an unknown path', { paths: ['nowhere'] }, 'PATH_UNKNOWN'],
    ['a prefix that leads out', { prefix: '../x/' }, 'PATH_UNSAFE'],
    ['a prefix into a repository', { prefix: 'a/.git/' }, 'PATH_UNSAFE'],
    ['an absolute prefix', { prefix: '/' }, 'PATH_UNSAFE'],
    ['an absolute prefix with a name', { prefix: '/x/' }, 'PATH_UNSAFE'],
  ]
  for (const [name, options, code] of refused) {
    it(`is refused for ${name}`, async () => {
      const { open } = await imported('small')
      await using repo = await open()
      await assert.rejects(makeArchive(repo, { at: 'main', format: 'tar', ...options }), { code })
    })
  }

  it('holds names and targets that are no UTF-8; a zip file does not', async () => {
    const dir = temporary('latin1')
    git(dir, ['init', '-q', '-b', 'main'])
    writeFileSync(join(dir, 'good'), '')
    writeFileSync(Buffer.from(`${dir}/caf\xe9`, 'latin1'), '')
    writeFileSync(Buffer.from(`${dir}/${'\xe9'.repeat(200)}`, 'latin1'), '')
    symlinkSync(Buffer.from('\xff', 'latin1'), join(dir, 'link'))
    git(dir, ['add', '-A'])
    git(dir, ['-c', 'user.name=A', '-c', 'user.email=a@x', 'commit', '-qm', 'one'])
    const { mirror, open } = await importedFrom(dir)
    await using repo = await open()
    assert.deepEqual(unpacked(await archived(repo, 'main', 'tar'), 'tar'), gitArchive(mirror.dir, 'main'))
    await assert.rejects(archived(repo, 'main', 'zip'), { code: 'ARCHIVE_LIMIT', message: /"caf\\351"/ })
  })
})

describe('the bytes of an archive', () => {
  const file = (name: string): ArchiveEntry => ({ name, kind: 'file', content: Buffer.from('x'), time: 0 })

  async function* many(count: number): AsyncGenerator<ArchiveEntry> {
    for (let i = 0; i < count; i++) yield file(String(i))
  }

  it('as zip may have 65,535 entries and no more', async () => {
    let bytes = 0
    for await (const chunk of zipOf(many(65_535))) bytes += chunk.length
    assert.ok(bytes > 65_535 * 80)
    await assert.rejects(bytesOf(zipOf(many(65_536))), { code: 'ARCHIVE_LIMIT' })
  })

  for (const [name, of] of [
    ['tar', tarOf],
    ['zip', zipOf],
  ] as const) {
    it(`as ${name} end where reading an entry fails, or the reader has had enough`, async () => {
      async function* failing(): AsyncGenerator<ArchiveEntry> {
        yield file('one')
        throw new RangeError('no more')
      }
      await assert.rejects(bytesOf(of(failing())), RangeError)
      let ended = false
      async function* endless(): AsyncGenerator<ArchiveEntry> {
        try {
          for (;;) yield file('again')
        } finally {
          ended = true
        }
      }
      for await (const _ of of(endless())) break
      await new Promise((resolve) => setTimeout(resolve, 20))
      assert.ok(ended)
    })
  }
})

describe('names in a tar file', () => {
  /** Lengths around those of which the parts of a header have room, with slashes here and there. */
  const names = fc
    .tuple(fc.array(fc.nat(130), { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(
      ([lengths, directory]) => `${lengths.map((length) => 'n'.repeat(length + 1)).join('/')}${directory ? '/' : ''}`,
    )

  it('are read by tar as they are, whatever their lengths', () => {
    return holdsAsync(
      fc.asyncProperty(fc.uniqueArray(names, { minLength: 20, maxLength: 20 }), async (all) => {
        async function* entries(): AsyncGenerator<ArchiveEntry> {
          for (const name of all)
            yield { name, kind: name.endsWith('/') ? 'directory' : 'file', content: Buffer.alloc(0), time: 0 }
          for (const name of all)
            yield { name: `l${name.replace(/\/$/, '')}`, kind: 'symlink', content: Buffer.from(name), time: 0 }
        }
        const listed = execFileSync('tar', ['tv'], { input: await bytesOf(tarOf(entries())), encoding: 'utf8' })
        const read = listed
          .trimEnd()
          .split('\n')
          .map((line) => line.replace(/^\S+ \S+ +\d+ \S+ \S+ /, ''))
        assert.deepEqual(read, [...all, ...all.map((name) => `l${name.replace(/\/$/, '')} -> ${name}`)])
      }),
      20,
    )
  })
})

describe('a whole file', () => {
  async function* chunks(fail = false): AsyncGenerator<Uint8Array> {
    yield Buffer.from('new')
    if (fail) throw new RangeError('no more')
  }

  it('takes the place of what was there, or of nothing, and leaves nothing beside it', async () => {
    const dir = temporary()
    for (const before of [undefined, 'old']) {
      if (before !== undefined) writeFileSync(join(dir, 'file'), before)
      assert.equal(await writeWholeFile(join(dir, 'file'), chunks()), 3)
      assert.deepEqual([readFileSync(join(dir, 'file'), 'utf8'), readdirSync(dir)], ['new', ['file']])
    }
  })

  it('is not written where its bytes cannot be had', async () => {
    const dir = temporary()
    writeFileSync(join(dir, 'file'), 'old')
    await assert.rejects(writeWholeFile(join(dir, 'file'), chunks(true)), RangeError)
    assert.deepEqual([readFileSync(join(dir, 'file'), 'utf8'), readdirSync(dir)], ['old', ['file']])
  })

  it('may be a device', async () => {
    assert.equal(await writeWholeFile('/dev/null', chunks()), 3)
    assert.ok(lstatSync('/dev/null').isCharacterDevice())
  })

  it('is a link that leads to what it was written into', async () => {
    const dir = temporary()
    writeFileSync(join(dir, 'real'), 'old and longer')
    symlinkSync('real', join(dir, 'file'))
    await writeWholeFile(join(dir, 'file'), chunks())
    assert.deepEqual([readFileSync(join(dir, 'real'), 'utf8'), readlinkSync(join(dir, 'file'))], ['new', 'real'])
  })
})

describe('weft archive', () => {
  it('writes a file, in the format of its name, or to standard output', async () => {
    const { dir } = await imported('small')
    const to = temporary('to')
    for (const [name, format] of [
      ['a.tar', 'tar'],
      ['a.tgz', 'tar.gz'],
      ['A.TAR.GZ', 'tar.gz'],
      ['a.zip', 'zip'],
    ] as const) {
      const report = await weftJson<ArchiveReport>(['archive', 'main', '-o', join(to, name), '-C', dir])
      assert.deepEqual([report.format, report.files, report.to], [format, 10, join(to, name)])
      assert.equal(report.bytes, lstatSync(join(to, name)).size)
    }
    const { stdout, status } = await weft(['archive', 'main', '-C', dir])
    assert.equal(status, 0)
    assert.ok(stdout.equals(readFileSync(join(to, 'a.tar'))))
    assert.ok(
      (await weft(['archive', 'main', '--format', 'zip', '-C', dir])).stdout.equals(readFileSync(join(to, 'a.zip'))),
    )
  })

  it('has the same bytes in every zone', async () => {
    const { dir } = await imported('small')
    const zones = ['UTC', 'America/New_York', 'Asia/Kolkata']
    const all = await Promise.all(
      zones.map((TZ) => weft(['archive', 'main', '--format', 'zip', '-C', dir], { env: { TZ } })),
    )
    for (const { stdout } of all) assert.ok(stdout.length > 0 && stdout.equals(all[0]?.stdout ?? Buffer.alloc(0)))
  })

  it('refuses a terminal, a name without a format, and a directory that is not there', async () => {
    const { dir } = await imported('small')
    const script = spawnSync(
      'script',
      ['-qec', `${process.execPath} ${join(ROOT, 'bin/run.js')} archive main -C ${dir}`, '/dev/null'],
      { encoding: 'utf8' },
    )
    assert.match(script.stdout, /An archive is nothing for a terminal/)
    assert.equal((await weftFails(['archive', 'main', '-o', 'a.rar', '-C', dir])).code, 'USAGE')
    const nowhere = join(temporary(), 'no', 'a.tar')
    assert.equal((await weftFails(['archive', 'main', '-o', nowhere, '-C', dir])).code, 'DIR_NOT_FOUND')
    assert.equal(existsSync(nowhere), false)
  })

  it('leaves no file where it fails', async () => {
    const { dir } = await imported('small')
    const to = temporary('to')
    await weftFails(['archive', 'main', 'nowhere', '-o', join(to, 'a.tar'), '-C', dir])
    assert.deepEqual(readdirSync(to), [])
  })
})
