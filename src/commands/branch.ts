import * as Flags from '@oclif/core/flags'
import { optional, VERSION_HELP } from '../cli/arguments.js'
import { BaseCommand } from '../cli/command.js'
import { formatBranches, formatRef } from '../cli/format-refs.js'
import { namePattern } from '../cli/name-pattern.js'

/** `weft branch`: names of lines of work. */
export default class Branch extends BaseCommand {
  static override summary = 'List, make, rename and delete branches'
  static override description =
    `Without a name all branches are listed: where each stands, and how many versions it is ahead of and behind the current one (--against: another). A branch can have several heads, after it was moved in several places at once; weft merge joins them.\n\n${VERSION_HELP}`
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> fix/line-endings v1.2',
    '<%= config.bin %> <%= command.id %> --rename topic fix',
    '<%= config.bin %> <%= command.id %> --delete fix',
  ]
  static override args = {
    name: optional('Name of the branch, or a pattern (fix/*) of those to list'),
    version: optional('Where a new branch begins, by default where the work tree stands; with --rename the new name'),
  }
  static override flags = {
    against: Flags.string({ helpValue: '<version>', summary: 'Count versions ahead and behind against this' }),
    rename: Flags.boolean({ char: 'm', exclusive: ['delete'], summary: 'Give the branch another name' }),
    delete: Flags.boolean({ char: 'd', summary: 'Delete the branch; its versions stay in the store' }),
    force: Flags.boolean({ dependsOn: ['delete'], summary: 'Delete it also where nothing else names its versions' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Branch)
    const { name, version } = args
    await using repo = await this.openRepository()
    const pattern = namePattern(name)
    if (name === undefined || (pattern !== undefined && !flags.delete && !flags.rename)) {
      const { branch } = await repo.head()
      const all = await repo.branches({ against: flags.against })
      const branches = all.filter((one) => pattern === undefined || pattern.test(one.name))
      await this.page()
      await this.answer(branches, (list, style) => formatBranches(list, { current: branch, pattern: name }, style))
      return
    }
    const work = await this.openWorktree(repo)
    const { createBranch, deleteBranch, renameBranch } = await import('../worktree/branches.js')
    if (flags.delete) await this.answer(await deleteBranch(work, name, flags.force), formatRef)
    else if (flags.rename) {
      const [from, to] = version === undefined ? [work.head.branch ?? '', name] : [name, version]
      await this.answer(await renameBranch(work, from, to), formatRef)
    } else await this.answer(await createBranch(work, name, version), formatRef)
  }
}
