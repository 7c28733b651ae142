import { resolve } from 'node:path'
import * as Flags from '@oclif/core/flags'
import { optional, required } from '../../cli/arguments.js'
import { BaseCommand } from '../../cli/command.js'
import { formatImport } from '../../cli/format-import.js'

/** `weft git import`: a git history becomes a weft repository. */
export default class GitImport extends BaseCommand {
  static override summary = 'Bring the history of a git repository or bundle in'
  static override description =
    `Takes all branches and tags into the weft repository of a directory, which is made where it is missing. Every version is signed with your key. Run again, it brings in only what is new; interrupted, it goes on where it stopped.`
  static override examples = [
    '<%= config.bin %> <%= command.id %> . .',
    '<%= config.bin %> <%= command.id %> ../project.git project',
    '<%= config.bin %> <%= command.id %> history.bundle project --ref main --ref v1.2 --checkout',
  ]
  static override args = {
    source: required('Git repository or bundle'),
    dir: optional('Directory of the weft repository, here where none is named'),
  }
  static override flags = {
    check: Flags.boolean({ summary: "Recompute every tree's git id from what is stored" }),
    checkout: Flags.boolean({ summary: 'Write the files of the current branch into the directory' }),
    ref: Flags.string({
      helpValue: '<ref>',
      multiple: true,
      multipleNonGreedy: true,
      summary: 'Bring in only this branch or tag, may be given several times',
    }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(GitImport)
    const [{ importGit }, { openIdentity }, { recordRefs }] = await Promise.all([
      import('../../git/import.js'),
      import('../../repo/identity.js'),
      import('../../worktree/operation.js'),
    ])
    const dir = args.dir ?? '.'
    const report = await importGit({
      source: resolve(args.source),
      dir: resolve(dir),
      identity: await openIdentity(this.home),
      checkout: flags.checkout,
      check: flags.check,
      ...(flags.ref && { refs: flags.ref }),
      aroundRefs: (repo, set) => recordRefs(repo, 'git import', set, () => `from ${args.source}`),
      ...this.progress,
    })
    if (flags.checkout) await this.adopt(resolve(dir))
    await this.answer(report, (value, style) => formatImport(value, dir, style))
  }

  /** The files that were checked out become those of the work tree. */
  private async adopt(root: string): Promise<void> {
    const [{ Repository }, { adoptFiles }] = await Promise.all([
      import('../../repo/repository.js'),
      import('../../worktree/adopt.js'),
    ])
    await using repo = await Repository.open(root, { home: this.home })
    await adoptFiles(repo)
  }
}
