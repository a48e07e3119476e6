import { useEffect, type ReactElement } from 'react'
import { Route, Switch, useLocation } from 'wouter'
import { isAt, restOf, type HqPage } from '../pages/page.ts'
import { NoSuchPage } from '../ui/no-such-page.tsx'
import { Announcer } from './announcer.tsx'
import { usePageFocus } from './page-focus.ts'

/** Shows the page that the address names, puts its title on the window and the focus on its heading. */
export function PageRouter({ pages }: { pages: readonly HqPage[] }): ReactElement {
  const [location] = useLocation()
  const page = pages.find((each) => isAt(each, location)) ?? null
  const rest = page === null ? '' : restOf(page, location)
  const key = page === null ? location : `${page.path} ${page.keyOf?.(rest) ?? rest}`
  useWindowTitle([page?.subject?.(rest) ?? null, page?.title ?? 'No such page'])
  usePageFocus(key)
  return (
    <>
      <Switch>
        {pages.map(({ path, takes, Page }) => (
          <Route key={path} path={takes === undefined ? path : below(path, takes)}>
            {() => <Page key={key} id={rest === '' ? null : rest} />}
          </Route>
        ))}
        <Route>
          <NoSuchPage />
        </Route>
      </Switch>
      <Announcer page={key} />
    </>
  )
}

const below = (path: string, takes: 'one' | 'path'): string =>
  takes === 'one' ? `${path}/:id?` : `${path}/*?`

function useWindowTitle(parts: readonly (string | null)[]): void {
  const title = [...parts, 'OpenClaw HQ'].filter((part) => part !== null).join(' · ')
  useEffect(() => {
    document.title = title
  }, [title])
}
