"""argmin: what is asked, which solver answers, and what it found."""
