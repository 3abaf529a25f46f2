"""Tables in CSV files and workbooks, told from their content."""
