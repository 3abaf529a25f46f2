SENSORS: list = []
