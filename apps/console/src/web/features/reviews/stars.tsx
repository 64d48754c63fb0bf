import { Star } from 'lucide-react';

export function Stars({ rating }: { readonly rating: number }) {
  return (
    <span className="stars" role="img" aria-label={`${rating} of 5`}>
      {[1, 2, 3, 4, 5].map(step => (
        <Star key={step} size={15} className={step <= rating ? 'star-on' : 'star-off'} />
      ))}
    </span>
  );
}
