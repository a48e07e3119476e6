// Packages of HQ that only a laptop uses. A host never reviews, and the Codex CLI has 350 MB.
import { z } from 'zod'
import { parseJson } from '#ops/base/files/json-file'

const reviewer = '@openai/codex'

/** @param path of a package in the lock file, such as `node_modules/zod` */
export const isLaptopPackage = (path: string): boolean =>
  path === `node_modules/${reviewer}` || path.startsWith(`node_modules/${reviewer}-`)

const packageList = z.looseObject({
  dependencies: z.record(z.string(), z.unknown()).optional(),
  packages: z.record(z.string(), z.looseObject({})).optional(),
})

/**
 * A package.json or package-lock.json as a host installs it.
 * @param origin names the file in the error
 * @throws {Problem} `hostd_install_failed` when it is not one
 */
export function withoutLaptopPackages(text: string, origin: string): string {
  const list = parseJson(text, packageList, { errorClass: 'hostd_install_failed', origin })
  const root = list.packages?.['']
  return JSON.stringify({
    ...without(list),
    ...(list.packages === undefined
      ? {}
      : {
          packages: {
            ...Object.fromEntries(
              Object.entries(list.packages).filter(([path]) => !isLaptopPackage(path)),
            ),
            ...(root === undefined ? {} : { '': without(packageList.parse(root)) }),
          },
        }),
  })
}

function without(list: z.infer<typeof packageList>): z.infer<typeof packageList> {
  if (list.dependencies === undefined) return list
  const { [reviewer]: _, ...dependencies } = list.dependencies
  return { ...list, dependencies }
}
