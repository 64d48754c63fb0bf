import { Link } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { Notice } from '../shared/ui/page.tsx';

export function NotFoundPage() {
  return (
    <main className="lone">
      <Notice
        icon={<Compass size={22} />}
        title="There is no such page"
        actions={
          <Link to="/" className="button button-primary button-md">
            Go to the overview
          </Link>
        }
      >
        <p>The address may be mistyped, or from another version.</p>
      </Notice>
    </main>
  );
}
