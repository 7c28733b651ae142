/**
 * The published package: what `npm pack` makes, installed into an empty folder, runs and can be imported.
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { fixture } from './support/corpus.js'
import { temporary } from './support/temp.js'
import { HOME, ROOT } from './support/weft.js'

/** npm's settings here: no scripts of dependencies, nothing asked of the network that is in the cache. */
const NPM = { ...process.env, npm_config_audit: 'false', npm_config_fund: 'false', npm_config_update_notifier: 'false' }

/** What npm says where the registry cannot be reached and its cache does not hold a package. */
const OFFLINE = /ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT/

const FOLDER = temporary('install')

/** Why the package could not be installed, where that is no fault of ours. */
let offline: string | undefined

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string; readonly mode: number }[]
}
let packed: Packed

function runInFolder(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { cwd: FOLDER, encoding: 'utf8', env: { ...process.env, WEFT_HOME: HOME } })
}

before(() => {
  const text = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', FOLDER], {
    cwd: ROOT,
    encoding: 'utf8',
    env: NPM,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const answer = JSON.parse(text) as Packed[] | Record<string, Packed>
  const [first] = Object.values(answer)
  assert.ok(first)
  packed = first
  writeFileSync(join(FOLDER, 'package.json'), '{ "name": "folder", "private": true, "type": "module" }\n')
  const install = ['install', '--prefer-offline', '--ignore-scripts', join(FOLDER, packed.filename)]
  const { status, stderr } = spawnSync('npm', install, { cwd: FOLDER, encoding: 'utf8', env: NPM })
  if (status !== 0 && OFFLINE.test(stderr))
    offline = 'the registry cannot be reached, and the cache of npm lacks a package'
  else assert.equal(status, 0, stderr)
})

/** A test that needs the installed package. */
function installed(name: string, test: () => void): void {
  it(name, (context) => (offline === undefined ? test() : context.skip(offline)))
}

describe('the package', () => {
  it('holds the program, the library with its types, and no sources or tests', () => {
    const paths = packed.files.map(({ path }) => path)
    for (const path of [
      'package.json',
      'LICENSE',
      'bin/run.js',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/rdx/index.js',
      'dist/rdx/index.d.ts',
      'dist/cli/main.js',
    ]) {
      assert.ok(paths.includes(path), `${path} is missing`)
    }
    assert.ok(paths.some((path) => path === 'dist/cli/THIRD-PARTY.txt'))
    assert.deepEqual(
      paths.filter((path) => /^(src|test|fixtures|\.ci)\//.test(path) || path.endsWith('.map')),
      // The bundle's is there for stack traces, and holds names and lines, no sources.
      ['dist/cli/main.js.map'],
    )
    const run = packed.files.find(({ path }) => path === 'bin/run.js')
    assert.equal((run?.mode ?? 0) & 0o111, 0o111, 'bin/run.js cannot be run')
  })

  it('has a lock file that names no registry and knows the packages of all platforms', () => {
    const text = readFileSync(join(ROOT, 'package-lock.json'), 'utf8')
    assert.doesNotMatch(text, /"resolved"/)
    interface Locked {
      readonly optionalDependencies?: Record<string, string>
    }
    const { packages } = JSON.parse(text) as { packages: Record<string, Locked> }
    const optional = Object.values(packages).flatMap((locked) => Object.keys(locked.optionalDependencies ?? {}))
    // A registry that lacks some of them makes npm install leave them out, and then npm ci refuses the file.
    assert.deepEqual(
      optional.filter((name) => packages[`node_modules/${name}`] === undefined),
      [],
    )
  })

  installed('has few packages in tow', () => {
    const lock = JSON.parse(readFileSync(join(FOLDER, 'package-lock.json'), 'utf8')) as { packages: object }
    assert.ok(Object.keys(lock.packages).length < 30, Object.keys(lock.packages).join(' '))
  })

  installed('gives the command weft', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
    const weft = join(FOLDER, 'node_modules/.bin', process.platform === 'win32' ? 'weft.cmd' : 'weft')
    assert.equal(runInFolder(weft, ['--version']), `weft ${version}\n`)
    assert.match(runInFolder(weft, ['--help']), /\n {2}blame /)
    assert.match(runInFolder('npx', ['--no', 'weft', 'version']), new RegExp(`^weft ${version} `))
  })

  installed('imports a history and verifies it', () => {
    const weft = join(FOLDER, 'node_modules/.bin/weft')
    runInFolder(weft, ['git', 'import', fixture('small'), 'repository'])
    assert.equal((JSON.parse(runInFolder(weft, ['verify', '-C', 'repository', '--json'])) as { ok: boolean }).ok, true)
  })

  installed('can be imported, types included', () => {
    const program = `
      import { CodedError, Repository, type VersionInfo } from 'weft-vcs'
      import * as rdx from 'weft-vcs/rdx'
      await using repo = await Repository.open('repository')
      const versions: VersionInfo[] = []
      for await (const version of repo.log({ limit: 1 })) versions.push(version)
      const missing = await Repository.open('/').catch((error: unknown) => error)
      const natives: rdx.Native[] = rdx.E.plain(rdx.E.merge([rdx.E.tlv([1n]), rdx.E.tlv(['a'])])) ?? []
      console.log(versions.length, missing instanceof CodedError && missing.code, natives)
    `
    mkdirSync(join(FOLDER, 'program'))
    writeFileSync(join(FOLDER, 'program/main.ts'), program)
    const options = {
      module: 'nodenext',
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable', 'dom'],
      strict: true,
      outDir: '.',
      types: [],
      skipLibCheck: false,
    }
    writeFileSync(
      join(FOLDER, 'program/tsconfig.json'),
      JSON.stringify({ compilerOptions: options, files: ['main.ts'] }),
    )
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', join(FOLDER, 'program')], { encoding: 'utf8' })
    assert.equal(status, 0, stdout)
    assert.ok(existsSync(join(FOLDER, 'program/main.js')))
    assert.equal(runInFolder(process.execPath, ['program/main.js']), "1 REPO_NOT_FOUND [ 1n, 'a' ]\n")
  })
})
